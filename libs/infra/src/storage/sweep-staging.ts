import { randomBytes } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './file-system-error.ts';
import type { StorageLayout } from './storage-layout.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Removes what killed processes have left half-made for more than a day: run directories and uploads. Several processes
 * may sweep at once.
 *
 * @returns how many were removed
 */
export async function sweepStaging(layout: StorageLayout, now: Date): Promise<number> {
  let removed = 0;
  for (const directory of [layout.staging, layout.uploads]) {
    for (const name of await namesIn(directory)) {
      if (await removeOld(directory, name, now.getTime() - DAY_MS)) removed += 1;
    }
  }
  return removed;
}

async function removeOld(directory: string, name: string, beforeMs: number): Promise<boolean> {
  const path = join(directory, name);
  // Renamed first: should its maker be at work after all, it must not put a half-removed directory into place.
  const removing = join(directory, `removing.${randomBytes(6).toString('hex')}`);
  try {
    if ((await lstat(path)).mtimeMs >= beforeMs) return false;
    await rename(path, removing);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  await rm(removing, { recursive: true, force: true });
  return true;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
