import { emptyWhileInUse } from '../integration/database-server.ts';
import { describeChaos } from './chaos.ts';

describeChaos(200, async () => ({
  name: 'postgres',
  environment: {},
  lose: async (bramble) => emptyWhileInUse(await bramble.databaseUrl(), 'bullmq'),
}));
