import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { StorageLayout } from './storage-layout.ts';

const NOBODY = 65_534;

/** A directory of its own for one test file. */
export class TemporaryDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'bramble-storage-'));
  #made = 0;

  /** Storage that nobody has used yet. */
  newLayout(options: { groupId?: number; clusterRoot?: string } = {}): StorageLayout {
    return new StorageLayout({ root: this.newDirectory(), ...options });
  }

  newDirectory(): string {
    this.#made += 1;
    return mkdtempSync(join(this.path, `${this.#made}-`));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

let jobs = 0;

export function newJobId(): string {
  jobs += 1;
  return `job_${jobs.toString(36).padStart(26, '0')}`;
}

/** An account that run directories can be given to: another than ours where we are root, or else our own. */
export function someAccount(): UnixAccount {
  const isRoot = process.geteuid?.() === 0;
  return {
    name: 'somebody',
    uid: isRoot ? NOBODY : (process.geteuid?.() ?? 0),
    gid: isRoot ? NOBODY : (process.getegid?.() ?? 0),
    home: '/nonexistent',
  };
}

/** Descriptors that this process has open. */
export const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
