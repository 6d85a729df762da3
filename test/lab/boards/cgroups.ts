import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { processStartTime, signal } from '../processes.ts';
import { waitUntil } from '../waiting.ts';

const MOUNT = '/sys/fs/cgroup';
/** Version 1 and 2 side by side, as systemd's hybrid layout has them; else version 2 alone. */
const HIERARCHIES: readonly string[] = existsSync(`${MOUNT}/cgroup.procs`)
  ? [MOUNT]
  : [`${MOUNT}/systemd`, `${MOUNT}/unified`];

/** Makes a cgroup in every hierarchy that systemd-nspawn uses: without one of its own, all boards share theirs. */
export function createCgroups(name: string): string[] {
  const cgroups = cgroupsNamed(name);
  for (const cgroup of cgroups) mkdirSync(cgroup, { recursive: true });
  return cgroups;
}

/** Those above, and the controllers' of version 1. */
export const ALL_HIERARCHIES: readonly string[] =
  HIERARCHIES[0] === MOUNT
    ? HIERARCHIES
    : readdirSync(MOUNT, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(MOUNT, entry.name));

/** SIGKILL to all that runs in the cgroup, and removes it. */
export async function endCgroups(name: string, hierarchies = HIERARCHIES): Promise<void> {
  const cgroups = cgroupsNamed(name, hierarchies).filter((cgroup) => existsSync(cgroup));
  const alive = (): number[] =>
    cgroups.flatMap(processesIn).filter((pid) => processStartTime(pid) !== undefined);
  await waitUntil(
    `the processes of ${name} to end`,
    () => {
      for (const pid of alive()) signal(pid, 'SIGKILL');
      return alive().length === 0;
    },
    { intervalMs: 20 },
  );
  for (const cgroup of cgroups) {
    await waitUntil(`${cgroup} to be empty`, () => wasRemoved(cgroup), { intervalMs: 20 });
  }
}

/** The process 1 of the board whose cgroup this is, as the machine numbers it, once it is its own systemd. */
export function firstProcessOf(name: string): number | undefined {
  for (const cgroup of cgroupsNamed(name)) {
    const scope = join(cgroup, 'payload/init.scope');
    if (!existsSync(join(scope, 'cgroup.procs'))) continue;
    const first = processesIn(scope).find((pid) => /^NSpid:\t\d+.*\t1$/m.test(statusOf(pid)));
    if (first !== undefined) return first;
  }
  return undefined;
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** The names of the cgroups that begin so. */
export function cgroupsBeginningWith(prefix: string): string[] {
  const names = HIERARCHIES.filter((hierarchy) => existsSync(hierarchy)).flatMap((hierarchy) =>
    readdirSync(hierarchy).filter((name) => name.startsWith(prefix)),
  );
  return [...new Set(names)];
}

function cgroupsNamed(name: string, hierarchies = HIERARCHIES): string[] {
  return hierarchies.filter((hierarchy) => existsSync(hierarchy)).map((hierarchy) => join(hierarchy, name));
}

function processesIn(cgroup: string): number[] {
  const own = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  return [...own, ...childrenOf(cgroup).flatMap(processesIn)];
}

function wasRemoved(cgroup: string): boolean {
  try {
    for (const child of childrenOf(cgroup)) wasRemoved(child);
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}

function childrenOf(cgroup: string): string[] {
  return readdirSync(cgroup, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(cgroup, entry.name));
}
