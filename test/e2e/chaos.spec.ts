import pg from 'pg';
import { describeChaos } from './chaos.ts';

describeChaos(200, async () => ({
  name: 'postgres',
  environment: {},
  lose: async (bramble) => {
    const client = new pg.Client({ connectionString: await bramble.databaseUrl() });
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%'`,
    );
    await client.query(`TRUNCATE ${rows.map(({ name }) => name).join(', ')}`);
    await client.end();
  },
}));
