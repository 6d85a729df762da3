import { apiConfigurationSchema, parseConfiguration } from '#core/configuration/configuration';
import { ManageAccess } from '#core/access/manage-access';
import { useFaultWording } from '#core/vocabulary/fault-wording';
import { createLogger } from '#infra/observability/logger';
import { openPlatform } from '#infra/platform/platform';
import { runUntilStopped } from '#infra/platform/process';
import { makeFirstAdmin } from './access/first-admin.ts';
import { createApi } from './create-app.ts';

await runUntilStopped(async () => {
  useFaultWording();
  const configuration = parseConfiguration(apiConfigurationSchema, process.env);
  const logger = createLogger('bramble-api', configuration.BRAMBLE_LOG_LEVEL);
  const platform = await openPlatform(configuration, logger);
  const access = new ManageAccess(platform.access, platform.keyMaterial, platform.ids, platform.clock);
  const keyFile = await platform.exclusively('first-admin', () =>
    makeFirstAdmin(platform.access, access, {
      home: configuration.BRAMBLE_HOME,
      account: configuration.BRAMBLE_ADMIN_ACCOUNT ?? null,
    }),
  );
  if (keyFile !== undefined) logger.info(`The user "admin" was made; its API key is in ${keyFile}`);
  const app = await createApi(platform, configuration, logger);
  await app.listen(configuration.BRAMBLE_PORT, configuration.BRAMBLE_HOST);
  logger.info(`Listening on ${await app.getUrl()}; Swagger UI at ${await app.getUrl()}/docs`);
  return async () => {
    await app.close();
    await platform.close();
  };
});
