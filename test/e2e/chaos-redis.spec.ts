import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { RedisServer } from '../lab/database/redis-server.ts';
import { describeChaos } from './chaos.ts';

let redis: RedisServer | undefined;
afterAll(() => redis?.stop());

describeChaos(100, async () => {
  const server = await RedisServer.start();
  redis = server;
  return {
    name: 'redis',
    environment: { REDIS_URL: server.url },
    // It keeps nothing on disk.
    lose: async () => {
      await server.stop();
      await sleep(500);
      await server.start();
    },
  };
});
