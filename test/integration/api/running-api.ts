import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest, { type Agent } from 'supertest';
import { createApi } from '#api/create-app';
import { ManageAccess } from '#core/access/manage-access';
import type { Permission, Role } from '#core/access/permissions';
import { apiConfigurationSchema, parseConfiguration } from '#core/configuration/configuration';
import type { LiveServices } from '#core/services/read-services';
import { useFaultWording } from '#core/vocabulary/fault-wording';
import { createLogger } from '#infra/observability/logger';
import { openPlatform, type Platform } from '#infra/platform/platform';
import { freshMigratedDatabase } from '../../lab/database/database-server.ts';

/** The api in this process, on a database and a storage of its own, without any worker. */
export interface RunningApi {
  app: NestExpressApplication;
  platform: Platform;
  storage: string;
  url: string;
  /** Requests without a key. */
  anonymous: Agent;
  /** A new user, and requests with a key of theirs. */
  signIn: (role: Role, options?: { account?: string | null; scopes?: Permission[] }) => Promise<SignedIn>;
  close: () => Promise<void>;
}

export interface SignedIn {
  userId: string;
  key: string;
  http: Agent;
}

/** @param live what the cluster tells of services; default: there is none */
export async function startApi(
  environment: Record<string, string> = {},
  live: LiveServices | null = null,
): Promise<RunningApi> {
  const database = await freshMigratedDatabase();
  const storage = await mkdtemp(join(tmpdir(), 'bramble-api-'));
  const configuration = parseConfiguration(apiConfigurationSchema, {
    DATABASE_URL: database.url,
    BRAMBLE_STORAGE_ROOT: storage,
    BRAMBLE_LOG_LEVEL: 'fatal',
    ...environment,
  });
  const logger = createLogger('test', configuration.BRAMBLE_LOG_LEVEL);
  const platform = await openPlatform(configuration, logger);
  useFaultWording();
  const app = await createApi(platform, configuration, logger, live);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const access = new ManageAccess(platform.access, platform.keyMaterial, platform.ids, platform.clock);
  let users = 0;
  return {
    app,
    platform,
    storage,
    url,
    anonymous: supertest.agent(url),
    signIn: async (role, { account = 'nobody', scopes } = {}) => {
      users += 1;
      const user = await access.createUser({
        name: `${role}-${users}`,
        role,
        ...(account === null ? {} : { account }),
      });
      const { key } = await access.createKey({
        user: user.id,
        label: 'test',
        ...(scopes === undefined ? {} : { scopes }),
      });
      return { userId: user.id, key, http: supertest.agent(url).set('Authorization', `Bearer ${key}`) };
    },
    close: async () => {
      await app.close();
      await platform.close();
      await database.drop();
      await rm(storage, { recursive: true, force: true });
    },
  };
}
