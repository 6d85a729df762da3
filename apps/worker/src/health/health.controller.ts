import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { WorkerMetrics } from '#infra/observability/metrics';
import type { Readiness, ReadinessReport } from '#infra/observability/readiness';

export const READINESS = Symbol('Readiness');
export const METRICS = Symbol('WorkerMetrics');

/** For Kubernetes and Prometheus. The worker has no other routes, and this one tells nothing of jobs or users. */
@Controller()
export class HealthController {
  readonly #readiness: Readiness;
  readonly #metrics: WorkerMetrics;

  constructor(@Inject(READINESS) readiness: Readiness, @Inject(METRICS) metrics: WorkerMetrics) {
    this.#readiness = readiness;
    this.#metrics = metrics;
  }

  @Get('healthz')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadinessReport> {
    const report = await this.#readiness.report();
    response.status(report.ready ? 200 : 503);
    return report;
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.setHeader('Content-Type', this.#metrics.registry.contentType);
    return this.#metrics.registry.metrics();
  }
}
