import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findEmbeddedBinaries,
  runnableBinaries,
} from '../../../libs/infra/src/database/embedded-binaries.ts';
import {
  type EmbeddedDatabase,
  startEmbeddedDatabase,
  stopEmbeddedDatabase,
} from '../../../libs/infra/src/database/embedded-database.ts';
import { embeddedFiles, ensureHome } from '../../../libs/infra/src/database/embedded-files.ts';
import { isAlive, readPostmaster } from '../../../libs/infra/src/database/postmaster.ts';

const PROGRAM = join(import.meta.dirname, 'programs/hold-embedded-database.ts');
const log = () => {};

let parent: string;
let dataDirectory: string;

beforeEach(async () => {
  parent = await mkdtemp('/var/tmp/bramble-test-embedded-');
  await chmod(parent, 0o755);
  dataDirectory = join(parent, 'database');
});

afterEach(async () => {
  await stopEmbeddedDatabase(dataDirectory);
  await rm(parent, { recursive: true, force: true });
});

const start = (): Promise<EmbeddedDatabase> => startEmbeddedDatabase({ dataDirectory, log });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that starts the database, prints its URL and stays. */
async function startElsewhere(): Promise<{ url: string; pid: number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [PROGRAM, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  const kill = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { url, pid: child.pid ?? 0, kill };
}

describe('runnableBinaries', () => {
  it('copies programs that the account cannot reach, once', async () => {
    const found = await findEmbeddedBinaries();
    const elsewhere = join(parent, 'programs');
    await cp(found.directory, elsewhere, { recursive: true, verbatimSymlinks: true });
    const programs = {
      ...found,
      directory: elsewhere,
      initdb: join(elsewhere, 'bin/initdb'),
      pgCtl: join(elsewhere, 'bin/pg_ctl'),
    };
    const files = embeddedFiles(dataDirectory);
    await ensureHome(files);
    const account = { uid: 65_534, gid: 65_534 };
    await expect(runnableBinaries(programs, files, account)).resolves.toEqual(programs);
    await chmod(elsewhere, 0o700);
    const all = await Promise.all([1, 2, 3].map(() => runnableBinaries(programs, files, account)));
    for (const { initdb } of all) {
      expect(execFileSync(initdb, ['--version'], { ...account, encoding: 'utf8' })).toContain('PostgreSQL');
    }
    expect(await readdir(dataDirectory)).toEqual([`programs-${found.version}`]);
  });
});

async function postmasterPid(): Promise<number> {
  const postmaster = await readPostmaster(join(dataDirectory, 'cluster'));
  if (postmaster === undefined) throw new Error('no server runs');
  return postmaster.pid;
}

describe('the embedded database', () => {
  it('speaks UTF-8 in the C locale, on 127.0.0.1 alone, and not as root', async () => {
    const { url } = await start();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(
      await query(
        url,
        `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses,
                current_setting('unix_socket_directories') AS sockets, datcollate AS collation,
                current_setting('password_encryption') AS passwords
         FROM pg_database WHERE datname = current_database()`,
      ),
    ).toEqual([
      { encoding: 'UTF8', addresses: '127.0.0.1', sockets: '', collation: 'C', passwords: 'scram-sha-256' },
    ]);
    const { uid } = await stat(`/proc/${await postmasterPid()}`);
    expect(uid).not.toBe(0);
  });

  it('asks for a password that only its owner can read', async () => {
    const { url } = await start();
    const { mode } = await stat(join(dataDirectory, 'password'));
    expect(mode & 0o777).toBe(0o600);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const environment = await readFile(`/proc/${await postmasterPid()}/environ`, 'utf8');
    expect(environment).not.toContain(new URL(url).password);
  });

  it('is used by the second caller, not started again', async () => {
    const first = await start();
    const pid = await postmasterPid();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await postmasterPid()).toBe(pid);
  });

  it('keeps its data and its port over a stop', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await expect(query(first.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is one server where four processes start it at once', async () => {
    const holders = await Promise.all(Array.from({ length: 4 }, () => startElsewhere()));
    try {
      expect(new Set(holders.map(({ url }) => url)).size).toBe(1);
      const remains = (await readdir(dataDirectory)).filter((name) => /^new-|^(password|port)\./.test(name));
      expect(remains).toEqual([]);
    } finally {
      await Promise.all(holders.map(({ kill }) => kill()));
    }
  });

  it('survives kill -9 of the process that started it', async () => {
    const starter = await startElsewhere();
    const pid = await postmasterPid();
    await starter.kill();
    expect(isAlive(starter.pid)).toBe(false);
    expect(await query(starter.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await start()).url).toBe(starter.url);
    expect(await postmasterPid()).toBe(pid);
  });

  it('comes back after kill -9 of the server itself, with what was committed', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(await postmasterPid(), 'SIGKILL');
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('says which directory is closed to the account of the server', async () => {
    await chmod(parent, 0o700);
    const asRoot = process.getuid?.() === 0;
    const started = start();
    await (asRoot
      ? expect(started).rejects.toThrow(`may not pass through ${parent}`)
      : expect(started).resolves.toBeDefined());
  });
});
