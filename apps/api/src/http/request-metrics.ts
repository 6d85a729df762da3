import type { NextFunction, Request, Response } from 'express';
import type { ApiMetrics } from '#infra/observability/metrics';

/** Measures every request under its route's pattern, so that ids do not make a series each. */
export function requestMetrics(metrics: ApiMetrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    response.once('close', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      metrics.observeRequest(
        request.method,
        typeof route === 'string' ? route : 'none',
        response.statusCode,
        (performance.now() - startedAt) / 1000,
      );
    });
    next();
  };
}
