import { emptyWhileInUse } from '../lab/database/execute.ts';
import { describeChaos } from './chaos.ts';

describeChaos(200, async () => ({
  name: 'postgres',
  environment: {},
  lose: async (bramble) => emptyWhileInUse(await bramble.databaseUrl(), 'bullmq'),
}));
