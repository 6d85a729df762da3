import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isAlive } from './postmaster.ts';

const WORKSPACE = /^new-(\d+)-[0-9a-f]+$/;

/** What the embedded database keeps in its directory. */
export interface EmbeddedFiles {
  home: string;
  /** PostgreSQL's data directory. */
  cluster: string;
  /** Mode 0600: who reads it may do anything in the database. */
  password: string;
  /** The port of last time, so that it stays the same where it can. */
  port: string;
  log: string;
}

export function embeddedFiles(directory: string): EmbeddedFiles {
  const home = resolve(directory);
  const file = (name: string) => join(home, name);
  return {
    home,
    cluster: file('cluster'),
    password: file('password'),
    port: file('port'),
    log: file('server.log'),
  };
}

/** Makes the directory, passable for the account that PostgreSQL runs as, where it is not there. */
export async function ensureHome({ home }: EmbeddedFiles): Promise<void> {
  const made = await mkdir(home, { recursive: true, mode: 0o755 });
  if (made !== undefined) await chmod(home, 0o755);
}

export async function clusterExists({ cluster }: EmbeddedFiles): Promise<boolean> {
  return (await stat(join(cluster, 'PG_VERSION')).catch(() => undefined)) !== undefined;
}

/**
 * Reads the password, or makes it up where nobody has yet. Of several processes that do so at once, one wins.
 * @throws Error where the password of an existing cluster is gone
 */
export async function ensurePassword(files: EmbeddedFiles): Promise<string> {
  const isNew = !(await clusterExists(files));
  const known = await readIfThere(files.password);
  if (known !== undefined) return known;
  if (!isNew) {
    throw new Error(
      `The embedded database in ${files.home} has lost its password: restore the file ${files.password}.`,
    );
  }
  const draft = `${files.password}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(32).toString('base64url'), { mode: 0o600, flush: true });
  try {
    await link(draft, files.password);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(files.password, 'utf8');
}

/** A directory of this process alone, where a new cluster takes shape; those of processes that were killed go. */
export async function makeWorkspace({ home }: EmbeddedFiles): Promise<string> {
  for (const name of await readdir(home)) {
    const pid = WORKSPACE.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(home, name), { recursive: true, force: true });
  }
  const workspace = join(home, `new-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(workspace, { mode: 0o700 });
  return workspace;
}

/**
 * Puts a finished cluster in its place, in one step.
 * @returns false where another process was faster
 */
export async function installCluster(finished: string, { cluster }: EmbeddedFiles): Promise<boolean> {
  try {
    await rename(finished, cluster);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

export async function rememberedPort({ port }: EmbeddedFiles): Promise<number | undefined> {
  const remembered = Number(await readIfThere(port));
  return Number.isInteger(remembered) && remembered > 0 ? remembered : undefined;
}

export async function rememberPort({ port: file }: EmbeddedFiles, port: number): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, String(port));
  await rename(draft, file);
}

/** Makes the server's log writable for its account; a long one is put aside, so that it does not grow for ever. */
export async function prepareLog(
  { log }: EmbeddedFiles,
  account: { uid: number; gid: number } | undefined,
): Promise<void> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  if (size > 10 * 1024 * 1024) await rename(log, `${log}.1`);
  const file = await open(log, 'a', 0o600);
  try {
    if (account !== undefined) await file.chown(account.uid, account.gid);
  } finally {
    await file.close();
  }
}

export async function logTail({ log }: EmbeddedFiles): Promise<string> {
  const text = (await readIfThere(log)) ?? '';
  return text.trimEnd().split('\n').slice(-8).join('\n');
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}
