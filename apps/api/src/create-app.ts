import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { Logger as NestPinoLogger } from 'nestjs-pino';
import type { ApiConfiguration } from '#core/configuration/configuration';
import type { LiveServices } from '#core/services/read-services';
import type { Logger } from '#infra/observability/logger';
import type { Platform } from '#infra/platform/platform';
import { ApiModule } from './api.module.ts';
import { requestMetrics } from './http/request-metrics.ts';
import { serveOpenApiDocument } from './openapi/document.ts';
import { METRICS } from './ports.ts';
import type { ApiMetrics } from '#infra/observability/metrics';

/** Largest JSON body: a request with its inline files. */
const MAX_JSON_BODY = '4mb';

/** What a web page of another origin may read of an answer, besides what browsers always give it. */
const READABLE_HEADERS = ['Content-Range', 'ETag', 'Location', 'Retry-After', 'X-Request-Id'];

/**
 * The api, ready to listen.
 * @param live what is asked of the cluster about services; default: as it is configured
 */
export async function createApi(
  platform: Platform,
  configuration: ApiConfiguration,
  logger: Logger,
  live?: LiveServices | null,
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(
    ApiModule.around(platform, configuration, logger, live),
    {
      // Nest tells of every module and route at start, at a level that belongs to what happens.
      logger: ['warn', 'error'],
      bodyParser: false,
      abortOnError: false,
    },
  );
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(requestMetrics(app.get<ApiMetrics>(METRICS)));
  // Swagger UI has inline scripts and styles of its own. The headers that are off work over HTTPS alone: over the plain
  // HTTP of a home network browsers ignore them, and say so in the console of every page.
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: { scriptSrc: ["'self'", "'unsafe-inline'"], upgradeInsecureRequests: null },
      },
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  if (configuration.BRAMBLE_CORS_ORIGINS.length > 0) {
    app.enableCors({
      origin: configuration.BRAMBLE_CORS_ORIGINS,
      exposedHeaders: READABLE_HEADERS,
      maxAge: 600,
    });
  }
  app.useBodyParser('json', { limit: MAX_JSON_BODY });
  serveOpenApiDocument(app);
  await app.init();
  app.useLogger(app.get(NestPinoLogger));
  return app;
}
