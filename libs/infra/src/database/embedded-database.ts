import { execFile } from 'node:child_process';
import { chown, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type EmbeddedBinaries, findEmbeddedBinaries, runnableBinaries } from './embedded-binaries.ts';
import {
  clusterExists,
  embeddedFiles,
  type EmbeddedFiles,
  ensureHome,
  ensurePassword,
  installCluster,
  logTail,
  makeWorkspace,
  prepareLog,
  rememberedPort,
  rememberPort,
} from './embedded-files.ts';
import type { Log } from './log.ts';
import { readPostmaster } from './postmaster.ts';
import { firstClosedDirectory, serverAccount, type ServerAccount } from './server-account.ts';

const run = promisify(execFile);

export interface EmbeddedDatabaseOptions {
  /** Where the data, the password and the log are kept. The server's account must be able to reach it. */
  dataDirectory: string;
  /** Left out: the port of last time, else any free one. A server that runs already keeps the port it has. */
  port?: number;
  log: Log;
}

export interface EmbeddedDatabase {
  /** Holds the password: it is for connecting, not for logs. */
  url: string;
  /** Stops the server, for every process that uses it. */
  stop(): Promise<void>;
}

const USER = 'bramble';
const DATABASE = 'bramble';
const START_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 3;
const LOOK_AGAIN_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;

/** Settings of a new cluster. Statements and key values stay out of the server's log. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'password_encryption=scram-sha-256',
  // Iterations protect passwords that people choose. This one is 32 random bytes, and every connection would pay for them.
  'scram_iterations=1',
  'max_connections=200',
  'jit=off',
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
];

/**
 * A PostgreSQL of one's own on 127.0.0.1, for machines that have no server. Whoever comes first starts it, and
 * everybody else connects to it: it runs in a session of its own and outlives the process that started it, however
 * that ends. Any number of processes of this machine may call this at once; no lock is held that a kill could leave
 * behind, because a new cluster appears in one rename and PostgreSQL lets one server run on it.
 * @throws Error that says what is in the way, with the end of the server's log
 */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const files = embeddedFiles(options.dataDirectory);
  await ensureHome(files);
  const password = await ensurePassword(files);
  const port = await new EmbeddedServer(files, password, options).ensureRunning();
  await ensureDatabase(port, password);
  return {
    url: connectionUrl(port, password, DATABASE),
    stop: () => stopEmbeddedDatabase(options.dataDirectory),
  };
}

/** Stops the server of a directory: running statements are broken off, what was committed stays. */
export async function stopEmbeddedDatabase(dataDirectory: string): Promise<void> {
  const files = embeddedFiles(dataDirectory);
  if ((await readPostmaster(files.cluster)) === undefined) return;
  const account = await serverAccount(files.cluster);
  const { pgCtl } = await runnableBinaries(await findEmbeddedBinaries(), files, account);
  const stopped = await runAs(account, pgCtl, ['stop', '-s', '-w', '-m', 'fast', '-D', files.cluster]);
  if (stopped === undefined || (await readPostmaster(files.cluster)) === undefined) return;
  throw new Error(`The embedded database in ${files.home} could not be stopped: ${stopped}`);
}

class EmbeddedServer {
  readonly #files: EmbeddedFiles;
  readonly #password: string;
  readonly #wantedPort: number | undefined;
  readonly #log: Log;

  constructor(files: EmbeddedFiles, password: string, options: EmbeddedDatabaseOptions) {
    this.#files = files;
    this.#password = password;
    this.#wantedPort = options.port;
    this.#log = options.log;
  }

  /** @returns the port */
  async ensureRunning(): Promise<number> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    let failures = 0;
    while (Date.now() < deadline) {
      const postmaster = await readPostmaster(this.#files.cluster);
      if (postmaster === undefined) {
        const failure = await this.#start();
        if (failure === undefined || (await readPostmaster(this.#files.cluster)) !== undefined) continue;
        failures += 1;
        if (failures === START_ATTEMPTS) throw await this.#explained('could not be started', failure);
      } else if (postmaster.port !== undefined && (await this.#answers(postmaster.port))) {
        if ((await rememberedPort(this.#files)) !== postmaster.port)
          await rememberPort(this.#files, postmaster.port);
        return postmaster.port;
      }
      await sleep(LOOK_AGAIN_MS);
    }
    throw await this.#explained('gave no answer', `it was waited for ${START_TIMEOUT_MS / 1000} s`);
  }

  /** @returns what went wrong: also that another process was faster */
  async #start(): Promise<string | undefined> {
    const account = await serverAccount(this.#files.cluster);
    const binaries = await runnableBinaries(await findEmbeddedBinaries(), this.#files, account);
    if (!(await clusterExists(this.#files))) await this.#makeCluster(binaries, account);
    await prepareLog(this.#files, account);
    const port = await this.#choosePort();
    const failure = await runAs(account, binaries.pgCtl, [
      ...['start', '-s', '-w', '-t', String(START_TIMEOUT_MS / 1000)],
      ...['-D', this.#files.cluster, '-l', this.#files.log, '-o', `-p ${port}`],
    ]);
    if (failure === undefined)
      this.#log('info', `Started PostgreSQL on 127.0.0.1:${port}, data in ${this.#files.home}.`);
    return failure;
  }

  async #makeCluster({ initdb }: EmbeddedBinaries, account: ServerAccount | undefined): Promise<void> {
    const workspace = await makeWorkspace(this.#files);
    try {
      const passwordFile = join(workspace, 'password');
      await writeFile(passwordFile, `${this.#password}\n`, { mode: 0o600 });
      if (account !== undefined) {
        await chown(passwordFile, account.uid, account.gid);
        await chown(workspace, account.uid, account.gid);
      }
      const finished = join(workspace, 'cluster');
      const failure = await runAs(account, initdb, [
        ...['-D', finished, '-U', USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        ...['--encoding=UTF8', '--locale=C', '--no-instructions'],
        ...SETTINGS.flatMap((setting) => ['-c', setting]),
      ]);
      if (failure !== undefined) throw await this.#explained('could not be made', failure, account);
      if (await installCluster(finished, this.#files)) {
        this.#log('info', `Made a PostgreSQL database in ${this.#files.home}.`);
      }
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }

  async #choosePort(): Promise<number> {
    if (this.#wantedPort !== undefined) return this.#wantedPort;
    const remembered = await rememberedPort(this.#files);
    return remembered !== undefined && (await isFree(remembered)) ? remembered : freePort();
  }

  /** Whether it takes connections, which it does not while it starts, recovers or shuts down. */
  async #answers(port: number): Promise<boolean> {
    try {
      await connected(connectionUrl(port, this.#password, 'postgres'), () => Promise.resolve());
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== '28P01' && code !== '28000') return false;
      throw new Error(
        `The PostgreSQL on 127.0.0.1:${port} refuses the password in ${this.#files.password}: is it the server of this directory?`,
        { cause: error },
      );
    }
  }

  async #explained(what: string, failure: string, account?: ServerAccount): Promise<Error> {
    const closed =
      account === undefined ? undefined : await firstClosedDirectory(this.#files.cluster, account);
    const hint =
      closed === undefined
        ? await logTail(this.#files)
        : `PostgreSQL does not run as root, and its account may not pass through ${closed}: allow it with "chmod o+x", or choose another directory for the data.`;
    return new Error(
      `The embedded database in ${this.#files.home} ${what}: ${[failure, hint].join('\n').trim()}`,
    );
  }
}

function connectionUrl(port: number, password: string, database: string): string {
  return `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

async function connected<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  await connected(connectionUrl(port, password, 'postgres'), async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount !== 0) return;
    try {
      await client.query(`CREATE DATABASE ${DATABASE}`);
    } catch (error) {
      const { code } = error as { code?: string };
      const madeByAnother = code === '42P04' || code === '23505';
      if (!madeByAnother) throw error;
    }
  });
}

/**
 * Runs a program of PostgreSQL with nothing of this process's environment, which may hold secrets.
 * @returns what it said where it failed
 */
async function runAs(
  account: ServerAccount | undefined,
  program: string,
  args: string[],
): Promise<string | undefined> {
  try {
    await run(program, args, {
      ...account,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    return undefined;
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string };
    return stderr.trim() === '' ? message : stderr.trim();
  }
}

async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined) throw new Error('There is no free port on 127.0.0.1.');
  return port;
}

const isFree = async (port: number): Promise<boolean> => (await listenOnce(port)) !== undefined;

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address() as AddressInfo;
      server.close(() => resolve(taken));
    });
  });
}
