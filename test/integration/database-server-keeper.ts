import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopEmbeddedDatabase } from '../../libs/infra/src/database/embedded-database.ts';
import { isAlive } from '../../libs/infra/src/database/postmaster.ts';

/** Waits for the end of a test run, then stops its database server and removes its files. */
const [runId, directory] = process.argv.slice(2);
if (runId === undefined || directory === undefined)
  throw new Error('usage: database-server-keeper RUN_ID DIRECTORY');
while (isAlive(Number(runId))) await sleep(200);
await stopEmbeddedDatabase(join(directory, 'server'));
await rm(directory, { recursive: true, force: true });
