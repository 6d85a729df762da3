import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { LabError } from '../lab-error.ts';

/** A release of Go as the module proxy has it: what `go` itself downloads where a module needs a newer one. */
export interface GoArchive {
  url: string;
  /** Of the zip file. */
  sha256: string;
}

const RELEASE = '1.26.8';
const ARCHIVES: Partial<Record<string, GoArchive>> = {
  x64: toolchain('amd64', '30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7'),
  arm64: toolchain('arm64', '02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99'),
};
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

function toolchain(architecture: string, sha256: string): GoArchive {
  const file = `v0.0.1-go${RELEASE}.linux-${architecture}.zip`;
  return { url: `https://proxy.golang.org/golang.org/toolchain/@v/${file}`, sha256 };
}

/**
 * A Go that is new enough: the machine's own, else the module proxy's, unpacked in `directory`. Debian 12's is too old.
 *
 * @param needed such as `1.26.0`
 * @returns the path of `go`.
 * @throws LabError when it cannot be downloaded, or is not what was published.
 */
export async function ensureGo(needed: string, directory: string, log: Log): Promise<string> {
  const own = await findGo(needed, directory);
  if (own !== undefined) return own;
  const archive = ARCHIVES[process.arch];
  if (archive === undefined) {
    throw new LabError(
      `Go ${needed} or newer is needed to build the control plane; install it and put it in PATH`,
    );
  }
  log(`There is no Go ${needed} or newer here: downloading ${archive.url}, about 70 MB`);
  const go = await unpackGo(archive, directory);
  const version = await versionOf(go);
  if (version === undefined || !isAtLeast(version, needed)) {
    throw new LabError(`${archive.url} holds no Go ${needed} or newer`);
  }
  return go;
}

/** Downloads an archive of Go, makes sure that it is the one that is meant, and unpacks it in `directory`. */
export async function unpackGo({ url, sha256 }: GoArchive, directory: string): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const file = join(unfinished, 'go.zip');
  const found = await download(url, file);
  if (found !== sha256) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new LabError(`${url} has the SHA-256 ${found}, and should have ${sha256}; nothing of it was run`);
  }
  await runOrThrow(['unzip', '-q', file, '-d', unfinished], { timeoutMs: 300_000 });
  rmSync(file);
  const [root = ''] = readdirSync(join(unfinished, 'golang.org'));
  renameSync(join(unfinished, 'golang.org', root), join(unfinished, 'go'));
  // Zip files of modules say nothing of modes; `go` makes the same ones executable.
  const programs = ['bin', 'pkg/tool'].map((path) => join(unfinished, 'go', path));
  await runOrThrow(['chmod', '-R', 'a+rX,u+w,a+x', ...programs.filter((path) => existsSync(path))]);
  renameSync(unfinished, directory);
  return join(directory, 'go/bin/go');
}

/** @returns the file's SHA-256 */
async function download(url: string, file: string): Promise<string> {
  const limits = [
    '--fail',
    '--silent',
    '--show-error',
    '--location',
    '--max-time',
    String(DOWNLOAD_TIMEOUT_MS / 1000),
  ];
  try {
    // curl goes by the certificates and proxies of the system.
    await promisify(execFile)('curl', [...limits, '--output', file, url]);
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const because = stderr.trim() === '' ? message : stderr.trim();
    throw new LabError(
      `${url} could not be downloaded (${because}). Install a newer Go, put it in PATH, and try again.`,
    );
  }
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}

async function findGo(needed: string, unpacked: string): Promise<string | undefined> {
  const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const directories = [...path, '/usr/local/go/bin', join(unpacked, 'go/bin')];
  for (const go of new Set(directories.map((directory) => join(directory, 'go')))) {
    const version = existsSync(go) ? await versionOf(go) : undefined;
    if (version !== undefined && isAtLeast(version, needed)) return go;
  }
  return undefined;
}

async function versionOf(go: string): Promise<string | undefined> {
  try {
    // `local`: in a directory with a go.mod it would download the version that is named there.
    const env = { ...process.env, GOTOOLCHAIN: 'local' };
    const { stdout } = await promisify(execFile)(go, ['version'], { cwd: '/', env, timeout: 20_000 });
    return /^go version go(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isAtLeast(version: string, needed: string): boolean {
  return new Intl.Collator('en', { numeric: true }).compare(version, needed) >= 0;
}
