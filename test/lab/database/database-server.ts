import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { stopEmbeddedDatabase } from '../../../libs/infra/src/database/embedded-database.ts';
import { readPostmaster } from '../../../libs/infra/src/database/postmaster.ts';
import { cpuSecondsOf } from '../../costs/cpu-time.ts';
import { noteCost } from '../../costs/ledger.ts';
import { waitUntil } from '../waiting.ts';
import { execute } from './execute.ts';

/** The database that has all tables, of which others are copied. */
export const MIGRATED = 'migrated';

export interface FreshDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Where the server of a test run keeps its files. */
export const directoryOfRun = (runId: number): string => `/var/tmp/bramble-test-postgres-${runId}`;
export const dataDirectoryIn = (directory: string): string => join(directory, 'server');
/** Holds the URL of the server from when it may be used. */
export const readyFileIn = (directory: string): string => join(directory, 'ready');

export function urlOfDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** A new, empty database on a real PostgreSQL, which all specs of a run share. */
export function freshDatabase(): Promise<FreshDatabase> {
  return newDatabase('template0');
}

/** A new database with all of Bramble's tables. */
export function freshMigratedDatabase(): Promise<FreshDatabase> {
  return newDatabase(MIGRATED);
}

async function newDatabase(template: string): Promise<FreshDatabase> {
  const serverUrl = await runningServer();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: urlOfDatabase(serverUrl, name),
    drop: () => execute(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/**
 * The first file of a run that needs the server has a keeper start it in the background. It is stopped when the run is
 * over, by the keeper where the run was killed.
 */
async function runningServer(): Promise<string> {
  // The process of the test run, which outlives those of the single files.
  const runId = isMainThread ? process.ppid : process.pid;
  const directory = directoryOfRun(runId);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (isFirst(directory)) {
    const keeper = join(import.meta.dirname, 'database-server-keeper.ts');
    spawn(process.execPath, [keeper, String(runId)], { detached: true, stdio: 'ignore' }).unref();
  }
  await waitUntil('the database server of the tests', () => existsSync(readyFileIn(directory)));
  return readFileSync(readyFileIn(directory), 'utf8');
}

function isFirst(directory: string): boolean {
  try {
    mkdirSync(join(directory, 'keeper'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Stops the server of a test run and removes its files. Does nothing where there is none. */
export async function endDatabaseServer(runId: number): Promise<void> {
  const directory = directoryOfRun(runId);
  if (!existsSync(directory)) return;
  const postmaster = await readPostmaster(join(dataDirectoryIn(directory), 'cluster'));
  if (postmaster !== undefined)
    noteCost({ kind: 'process', name: 'postgres', cpuSeconds: cpuSecondsOf(postmaster.pid) });
  await stopEmbeddedDatabase(dataDirectoryIn(directory));
  await rm(directory, { recursive: true, force: true });
}
