import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  pid: number;
  parent: number;
  /** Its own, and that of the children it has waited for. */
  ticks: number;
}

/** What a process, all below it, and all that these have waited for, have used so far. 0 where it is gone. */
export function cpuSecondsOf(pid: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => timesOf(name) ?? []);
  const family = new Set([pid]);
  let ticks = 0;
  // A child has a larger number than its parent, unless the numbers have started again.
  for (const one of processes.toSorted((a, b) => a.pid - b.pid)) {
    if (!family.has(one.pid) && !family.has(one.parent)) continue;
    family.add(one.pid);
    ticks += one.ticks;
  }
  return ticks / TICKS_PER_SECOND;
}

/** What this process and the children it has waited for have used so far. */
export function ownCpuSeconds(): number {
  return (timesOf('self')?.ticks ?? 0) / TICKS_PER_SECOND;
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html fields 1, 4 and 14 to 17 */
function timesOf(pid: string): ProcessTimes | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = rest.slice(9, 13).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(stat, 10), parent: Number(parent), ticks };
}
