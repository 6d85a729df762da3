import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LabError } from './lab-error.ts';

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** The people of the lab. Their accounts are shared by all labs of a machine and stay when a lab goes. */
export const LAB_ACCOUNTS = { first: 'bramble-alice', second: 'bramble-bob' } as const;

/** Far from 1000, which the first account of a machine has: on a Raspberry Pi that is `pi`. */
const LOWEST_ID = 20_000;

/**
 * Makes the lab's accounts where they are missing: ordinary users with a home directory and a shell, whose password is
 * locked. The homes lie outside the lab, because two labs share the accounts.
 *
 * @returns the names of the accounts that were made.
 */
export function ensureLabAccounts(): string[] {
  const missing = Object.values(LAB_ACCOUNTS).filter((name) => findAccount(name) === undefined);
  for (const name of missing) {
    const useradd = spawnSync(
      '/usr/sbin/useradd',
      [
        ...['--create-home', '--shell', '/bin/bash', '--user-group', '--comment', 'Bramble lab'],
        ...[`--key=UID_MIN=${LOWEST_ID}`, `--key=GID_MIN=${LOWEST_ID}`, name],
      ],
      { encoding: 'utf8' },
    );
    if (useradd.status !== 0) throw new LabError(`useradd ${name} failed: ${useradd.stderr.trim()}`);
  }
  return missing;
}

export function account(name: string): Account {
  const found = findAccount(name);
  if (found === undefined) throw new LabError(`There is no account ${name} on this machine`);
  return found;
}

function findAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid, , home] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
}
