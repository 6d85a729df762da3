import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, rmSync, renameSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { LabError } from '../lab-error.ts';

/** A release of Go, as https://go.dev/dl/?mode=json lists it. */
export interface GoArchive {
  url: string;
  sha256: string;
}

const RELEASE = '1.26.8';
const ARCHIVES: Partial<Record<string, GoArchive>> = {
  x64: {
    url: `https://go.dev/dl/go${RELEASE}.linux-amd64.tar.gz`,
    sha256: 'd0f743b33e8d8945e6b1f432edd15785c70507121d6e2a723b21285eddf8b57b',
  },
  arm64: {
    url: `https://go.dev/dl/go${RELEASE}.linux-arm64.tar.gz`,
    sha256: '211ffced9dcb9633a55eac6364816ec0ddd951389a740e88fa8b3337971bdda0',
  },
};
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * A Go that is new enough: the machine's own, else the official archive, unpacked in `directory`. Debian 12's is too old.
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
  const file = join(unfinished, 'go.tar.gz');
  const found = await download(url, file);
  if (found !== sha256) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new LabError(`${url} has the SHA-256 ${found}, and should have ${sha256}; nothing of it was run`);
  }
  await runOrThrow(['tar', '-xzf', file, '-C', unfinished, '--no-same-owner'], { timeoutMs: 300_000 });
  rmSync(file);
  renameSync(unfinished, directory);
  return join(directory, 'go/bin/go');
}

/** @returns the file's SHA-256 */
async function download(url: string, file: string): Promise<string> {
  const digest = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _, done) {
      digest.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const { ok, status, body } = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    if (!ok || body === null) throw new Error(`the answer was ${status}`);
    await pipeline(Readable.fromWeb(body), hashed, createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    const { message, cause } = error as Error;
    const because = cause instanceof Error ? cause.message : message;
    throw new LabError(
      `${url} could not be downloaded (${because}). Install a newer Go, put it in PATH, and try again.`,
    );
  }
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
