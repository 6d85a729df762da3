import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSecondsOf } from '../costs/cpu-time.ts';
import { noteCost } from '../costs/ledger.ts';
import { LabError } from './lab-error.ts';
import type { LabPaths } from './lab-directory.ts';
import { waitUntil } from './waiting.ts';
import { PATIENCE_MS } from '../patience.ts';

/** A daemon that stays in the foreground. `name` is unique in the lab. */
export interface Daemon {
  name: string;
  command: string;
  /** At least one argument contains the lab's directory: that is how a process is recognised later. */
  commandArguments: string[];
  environment?: Record<string, string>;
  /** Who runs it; root when left out. Daemons that give up root by themselves are started as root. */
  account?: { uid: number; gid: number };
}

interface DaemonRecord {
  pid: number;
  startTime: string;
}

const START_TIMEOUT_MS = PATIENCE_MS;
const KILLED_WITHIN_MS = PATIENCE_MS;

/** Starts a daemon in a session of its own, so that it outlives whoever called, and records which process it is. */
export function startDaemon(paths: LabPaths, daemon: Daemon): void {
  const log = openSync(outputFile(paths, daemon.name), 'w', 0o644);
  const child = spawn(daemon.command, daemon.commandArguments, {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      ...daemon.environment,
    },
    ...daemon.account,
  });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  const pid = child.pid;
  const startTime = pid === undefined ? undefined : processStartTime(pid);
  if (pid === undefined || startTime === undefined)
    throw new LabError(`${daemon.command} could not be started`);
  const record: DaemonRecord = { pid, startTime };
  writeFileSync(recordFile(paths, daemon.name), JSON.stringify(record));
}

/** Names of the daemons that were started and not stopped, whether they still run or not. */
export function startedDaemons({ pids }: LabPaths): string[] {
  if (!existsSync(pids)) return [];
  return readdirSync(pids).map((file) => file.replace(/\.json$/, ''));
}

/** The daemon's pid, if the recorded process still runs and is the very process that was started. */
export function daemonPid(paths: LabPaths, name: string): number | undefined {
  const file = recordFile(paths, name);
  if (!existsSync(file)) return undefined;
  const { pid, startTime } = JSON.parse(readFileSync(file, 'utf8')) as DaemonRecord;
  if (processStartTime(pid) !== startTime) return undefined;
  // It is empty for a moment while the process becomes another program.
  const command = commandLine(pid);
  return command === '' || command.includes(paths.directory) ? pid : undefined;
}

/**
 * Waits until a started daemon is ready.
 *
 * @throws LabError with the end of its log when it ends before it is ready, or is not ready in time.
 */
export async function waitUntilReady(
  paths: LabPaths,
  name: string,
  isReady: () => boolean | Promise<boolean>,
  intervalMs: number,
  timeoutMs = START_TIMEOUT_MS,
): Promise<void> {
  const readyOrEnded = async (): Promise<boolean> =>
    (await isReady()) || daemonPid(paths, name) === undefined;
  await waitUntil(`${name} to answer`, readyOrEnded, {
    timeoutMs,
    intervalMs,
    onTimeout: () => outputTail(paths, name),
  });
  if (daemonPid(paths, name) === undefined) {
    throw new LabError(`${name} ended right after its start; this is ${outputTail(paths, name)}`);
  }
}

/** SIGTERM, and SIGKILL to what is still there after `graceMs`. Does nothing when the daemon does not run. */
export async function stopDaemon(paths: LabPaths, name: string, graceMs = 10_000): Promise<void> {
  const pid = daemonPid(paths, name);
  if (pid !== undefined) {
    noteProcess(name, pid);
    signal(pid, 'SIGTERM');
    signal(pid, 'SIGCONT');
    try {
      await waitUntilGone(paths, name, graceMs);
    } catch {
      signal(pid, 'SIGKILL');
      await waitUntilGone(paths, name, KILLED_WITHIN_MS);
    }
  }
  rmSync(recordFile(paths, name), { force: true });
}

/** SIGKILL at once. Does nothing when the daemon does not run. */
export async function killDaemon(paths: LabPaths, name: string): Promise<void> {
  const pid = daemonPid(paths, name);
  if (pid === undefined) return;
  noteProcess(name, pid);
  signal(pid, 'SIGKILL');
  await waitUntilGone(paths, name, KILLED_WITHIN_MS);
  rmSync(recordFile(paths, name), { force: true });
}

/** Nodes and boards are counted together. */
function noteProcess(name: string, pid: number): void {
  noteCost({
    kind: 'process',
    name: name.replace(/^(slurmd|board)-.*/, '$1'),
    cpuSeconds: cpuSecondsOf(pid),
  });
}

/** The end of what a daemon has said since its start, for error messages. */
function outputTail(paths: LabPaths, name: string): string {
  const file = outputFile(paths, name);
  return `the end of ${file}:\n${readOrEmpty(file).trimEnd().split('\n').slice(-8).join('\n')}`;
}

/** Clock ticks from boot to the start of the process; undefined when it does not exist or is a zombie. */
export function processStartTime(pid: number): string | undefined {
  return readProcess(pid)?.startTime;
}

export interface RunningProcess {
  pid: number;
  parent: number;
  startTime: string;
}

export function runningProcesses(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
}

/** The processes below `roots`, the roots themselves left out. */
export function descendantsOf(
  roots: readonly { pid: number }[],
  processes: readonly RunningProcess[],
): RunningProcess[] {
  const family = new Set(roots.map(({ pid }) => pid));
  const found: RunningProcess[] = [];
  for (;;) {
    const children = processes.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    if (children.length === 0) return found;
    found.push(...children);
    for (const { pid } of children) family.add(pid);
  }
}

export function commandLine(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** The environment that the process was started with; empty where the process has overwritten it. */
export function processEnvironment(pid: number): string[] {
  return readOrEmpty(`/proc/${pid}/environ`).split('\0');
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function waitUntilGone(paths: LabPaths, name: string, timeoutMs: number): Promise<void> {
  return waitUntil(`${name} to end`, () => daemonPid(paths, name) === undefined, {
    timeoutMs,
    intervalMs: 20,
  });
}

function outputFile(paths: LabPaths, name: string): string {
  return join(paths.logs, `${name}.output`);
}

function recordFile(paths: LabPaths, name: string): string {
  return join(paths.pids, `${name}.json`);
}

function readProcess(pid: number): RunningProcess | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = rest[17];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), startTime };
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
