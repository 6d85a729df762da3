import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LabError } from './lab-error.ts';
import type { LabPaths } from './lab-directory.ts';
import { processStartTime } from './processes.ts';
import { waitUntil } from './waiting.ts';

const LOCK_TIMEOUT_MS = 10 * 60_000;

/**
 * Runs one `up` or `down` of a lab at a time. A lock whose owner is gone is taken over.
 *
 * @param timeoutMs how long to wait for an owner that is there. Default 10 minutes.
 */
export async function withLabLock<Result>(
  paths: LabPaths,
  action: () => Promise<Result>,
  timeoutMs = LOCK_TIMEOUT_MS,
): Promise<Result> {
  const lockFile = `${paths.directory}.lock`;
  await waitUntil('another lab:up or lab:down to end', () => tryToLock(lockFile), {
    timeoutMs,
    intervalMs: 100,
    onTimeout: () => `see ${lockFile}`,
  });
  try {
    return await action();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function tryToLock(lockFile: string): boolean {
  const me = `${process.pid} ${processStartTime(process.pid) ?? ''}`;
  try {
    mkdirSync(dirname(lockFile), { recursive: true, mode: 0o755 });
    writeFileSync(lockFile, me, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return false;
    if (code !== 'EEXIST') throw new LabError(`Cannot write ${lockFile} (${code ?? 'no code'})`);
  }
  let owner: string;
  try {
    owner = readFileSync(lockFile, 'utf8');
  } catch {
    return false;
  }
  const [pid, startTime] = owner.split(' ');
  const ownerIsAlive = owner === '' || processStartTime(Number(pid)) === startTime;
  if (!ownerIsAlive) rmSync(lockFile, { force: true });
  return false;
}
