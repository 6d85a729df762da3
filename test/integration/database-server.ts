import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import pg from 'pg';
import { startEmbeddedDatabase } from '../../libs/infra/src/database/embedded-database.ts';

/** The process of this test run, which outlives the processes of the single files. */
const runId = isMainThread ? process.ppid : process.pid;
const directory = `/var/tmp/bramble-test-postgres-${runId}`;

export interface FreshDatabase {
  url: string;
  drop(): Promise<void>;
}

/**
 * A new, empty database on a real PostgreSQL. The first file of a run starts the server, the others share it, and a
 * keeper in the background takes it away when the run is over, however it ends.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  await ensureKeeper();
  const server = await startEmbeddedDatabase({ dataDirectory: join(directory, 'server'), log: () => {} });
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(server.url, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server.url, `DROP DATABASE ${name} WITH (FORCE)`) };
}

/** Runs SQL over a connection of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** What PostgreSQL answers the statement that it ends because two wait for each other. */
const DEADLOCK_DETECTED = '40P01';

/** Empties the tables of a schema but those of its migrations, while others read and write them. */
export async function emptyWhileInUse(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname = $1 AND tablename NOT LIKE '%migration%'`,
      [schema],
    );
    const truncate = `TRUNCATE ${rows.map(({ name }) => name).join(', ')} CASCADE`;
    let emptied = false;
    while (!emptied) {
      emptied = await client.query(truncate).then(
        () => true,
        (cause: unknown) => {
          if (cause instanceof pg.DatabaseError && cause.code === DEADLOCK_DETECTED) return false;
          throw cause;
        },
      );
    }
  } finally {
    await client.end();
  }
}

async function ensureKeeper(): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  try {
    await mkdir(join(directory, 'keeper'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  const keeper = join(import.meta.dirname, 'database-server-keeper.ts');
  spawn(process.execPath, [keeper, String(runId), directory], { detached: true, stdio: 'ignore' }).unref();
}
