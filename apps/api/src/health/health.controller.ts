import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ApiMetrics } from '#infra/observability/metrics';
import type { Readiness, ReadinessReport } from '#infra/observability/readiness';
import { Requires } from '../access/requires.ts';
import { METRICS, READINESS } from '../ports.ts';

@ApiTags('health')
@Controller()
@Requires('public')
export class HealthController {
  readonly #readiness: Readiness;
  readonly #metrics: ApiMetrics;

  constructor(@Inject(READINESS) readiness: Readiness, @Inject(METRICS) metrics: ApiMetrics) {
    this.#readiness = readiness;
    this.#metrics = metrics;
  }

  @Get('healthz')
  @ApiOperation({ summary: 'Whether the process lives' })
  @ApiResponse({ status: 200, description: 'It does.' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether the process can serve, part by part' })
  @ApiResponse({ status: 200, description: 'Every required part is up.' })
  @ApiResponse({ status: 503, description: 'A required part is down; `parts` says which and why.' })
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadinessReport> {
    const report = await this.#readiness.report();
    response.status(report.ready ? 200 : 503);
    return report;
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Metrics for Prometheus' })
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: "Prometheus' text format." })
  async metrics(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.setHeader('Content-Type', this.#metrics.registry.contentType);
    return this.#metrics.registry.metrics();
  }
}
