import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from '#infra/observability/logger';
import type { WorkerMetrics } from '#infra/observability/metrics';
import type { Readiness } from '#infra/observability/readiness';
import { HealthController, METRICS, READINESS } from './health/health.controller.ts';

@Module({})
export class WorkerModule {
  static around(readiness: Readiness, metrics: WorkerMetrics, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [LoggerModule.forRoot({ pinoHttp: { logger, autoLogging: false } })],
      controllers: [HealthController],
      providers: [
        { provide: READINESS, useValue: readiness },
        { provide: METRICS, useValue: metrics },
      ],
    };
  }
}
