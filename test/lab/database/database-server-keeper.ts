import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedDatabase } from '../../../libs/infra/src/database/embedded-database.ts';
import { migrate } from '../../../libs/infra/src/database/migrate.ts';
import { isAlive } from '../../../libs/infra/src/database/postmaster.ts';
import { timed } from '../../costs/ledger.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import {
  dataDirectoryIn,
  directoryOfRun,
  endDatabaseServer,
  MIGRATED,
  readyFileIn,
  urlOfDatabase,
} from './database-server.ts';
import { execute } from './execute.ts';

// Starts the database server of a test run, writes down where it is, and takes it away when the run is over.
const runId = Number(process.argv[2]);
if (!Number.isInteger(runId)) throw new Error('usage: database-server-keeper RUN_ID');
const directory = directoryOfRun(runId);

/** Nothing in it has to survive a power cut, and every spec has pools of its own. */
const SETTINGS = ['fsync = off', 'full_page_writes = off', 'autovacuum = off', 'max_connections = 800'];

const url = await timed('PostgreSQL', async () => {
  const options = { dataDirectory: dataDirectoryIn(directory), log: () => {} };
  const first = await startEmbeddedDatabase(options);
  for (const setting of SETTINGS) await execute(first.url, `ALTER SYSTEM SET ${setting}`);
  await first.stop();
  const { url } = await startEmbeddedDatabase(options);
  await execute(url, `CREATE DATABASE ${MIGRATED} TEMPLATE template0`);
  await migrate({ url: urlOfDatabase(url, MIGRATED), log: () => {} });
  return url;
});
writeFileAtomically(readyFileIn(directory), url, 0o600);

while (isAlive(runId)) await sleep(200);
await endDatabaseServer(runId);
