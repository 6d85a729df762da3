import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));

/** Where the api and the worker of the quick start keep what outlives them. */
export interface Installation {
  /** `BRAMBLE_HOME`: embedded database, first key. */
  home: string;
  logs: string;
  /** The shared storage: run directories and uploaded files. */
  storage: string;
  /** Where the quick start fetches the job's outputs to. */
  results: string;
  stateFile: string;
}

/**
 * A directory of this checkout's own beside its lab, so that two checkouts never meet. Not in the checkout: the
 * embedded database runs as an account of its own, which may not be able to reach a private home directory.
 */
export function installation(labDirectory: string): Installation {
  const base = join(labDirectory, '..', 'quickstart');
  const below = (name: string) => join(base, name);
  return {
    home: below('home'),
    logs: below('logs'),
    storage: below('storage'),
    results: below('results'),
    stateFile: below('services.json'),
  };
}

/** Changes whenever the api or the worker were built anew. */
export function buildFingerprint(): string {
  const stamp = join(CHECKOUT, 'dist', '.bramble-build');
  return existsSync(stamp)
    ? createHash('sha256').update(readFileSync(stamp)).digest('hex').slice(0, 16)
    : 'none';
}
