import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  daemonPid,
  descendantsOf,
  killDaemon,
  runningProcesses,
  signal,
  startDaemon,
  waitUntilReady,
} from '../processes.ts';
import { waitUntil } from '../waiting.ts';
import type { BoardPaths, BoardsPaths } from './boards-directory.ts';
import { boardPaths } from './boards-directory.ts';
import { createCgroups, endCgroups } from './cgroups.ts';
import { runCommand } from './command.ts';
import { FIXTURE_DIRECTORY } from './fixture.ts';
import { PATIENCE_MS } from '../../patience.ts';

/** An emulated board takes about ten times as long as another one, which takes one or two seconds. */
const BOOT_TIMEOUT_MS = PATIENCE_MS;
const STOP_TIMEOUT_MS = 20_000;
/** Without it, systemd has no automount units. */
const AUTOFS = '/dev/autofs';
const NSPAWN_RUNTIME = '/run/systemd/nspawn';

/** Enters the cgroups named before `--`, then runs the board and, when it asks for a reboot (133), runs it again. */
const POWER = `
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done
shift
while :; do
  "$@"
  status=$?
  [ "$status" -eq 133 ] || exit "$status"
done`;

/** Switches a board on and waits until it has booted. Does nothing when it is on. */
export async function startMachine(paths: BoardsPaths, name: string): Promise<void> {
  if (isOn(paths, name)) return;
  // A crash may have left the board running and its record not written: two would write to one file system.
  await cutPower(paths, name);
  startDaemon(paths.lab, {
    name: daemonName(name),
    command: '/bin/sh',
    commandArguments: [
      '-c',
      POWER,
      'sh',
      ...createCgroups(machineName(paths, name)),
      '--',
      ...nspawn(machineName(paths, name), boardPaths(paths, name)),
    ],
  });
  await waitUntilReady(paths.lab, daemonName(name), () => hasBooted(paths, name), 100, BOOT_TIMEOUT_MS);
}

/** Shuts a board down as `poweroff` does; what has not ended after 20 seconds is killed. */
export async function stopMachine(paths: BoardsPaths, name: string): Promise<void> {
  const pid = daemonPid(paths.lab, daemonName(name));
  if (pid !== undefined && initPid(paths, name) !== undefined) {
    for (const nspawnProcess of runningProcesses().filter(({ parent }) => parent === pid)) {
      signal(nspawnProcess.pid, 'SIGTERM');
    }
    const giveUpAt = Date.now() + STOP_TIMEOUT_MS;
    await waitUntil(`${name} to stop`, () => !isOn(paths, name) || Date.now() > giveUpAt, {
      timeoutMs: STOP_TIMEOUT_MS + 5_000,
    });
  }
  await cutPower(paths, name);
}

/** A power cut: all of the board's processes end at once. What they have not written is lost. */
export async function cutPower(paths: BoardsPaths, name: string): Promise<void> {
  await killDaemon(paths.lab, daemonName(name));
  await endCgroups(machineName(paths, name));
  removeRemains(paths, name);
}

export function isOn(paths: BoardsPaths, name: string): boolean {
  return daemonPid(paths.lab, daemonName(name)) !== undefined;
}

/** Whether systemd has started all there is to start, sshd included. */
export async function hasBooted(paths: BoardsPaths, name: string): Promise<boolean> {
  const pid = initPid(paths, name);
  if (pid === undefined) return false;
  const state = await runCommand([...inside(pid), 'systemctl', 'is-system-running']);
  return /^(running|degraded)$/m.test(state.stdout);
}

/**
 * The board's process 1 as the machine numbers it. Before systemd has put itself into `init.scope`, the process may
 * still be systemd-nspawn on the machine's own file system, where no command of a board may ever run.
 */
export function initPid(paths: BoardsPaths, name: string): number | undefined {
  const power = daemonPid(paths.lab, daemonName(name));
  if (power === undefined) return undefined;
  const scope = `/${machineName(paths, name)}/payload/init.scope`;
  return descendantsOf([{ pid: power }], runningProcesses()).find(
    ({ pid }) => isFirstOfItsNamespace(pid) && cgroupsOf(pid).includes(scope),
  )?.pid;
}

/** What comes before a command that runs in all of a process's namespaces. */
export function inside(pid: number): string[] {
  return ['nsenter', `--target=${pid}`, '--all', '--wdns=/', '--'];
}

export function machineName({ prefix }: BoardsPaths, name: string): string {
  return `${prefix}-${name}`;
}

function daemonName(name: string): string {
  return `board-${name}`;
}

function nspawn(machine: string, board: BoardPaths): string[] {
  return [
    // systemd-nspawn mounts /sys before it enters the namespace; /sys/class/net would show the machine's own links.
    'nsenter',
    `--net=${board.networkNamespace}`,
    '/usr/bin/systemd-nspawn',
    '--quiet',
    `--directory=${board.root}`,
    `--machine=${machine}`,
    '--register=no',
    '--keep-unit',
    `--network-namespace-path=${board.networkNamespace}`,
    '--capability=CAP_NET_ADMIN',
    // Nothing else keeps a board's root from the machine's disks.
    '--drop-capability=CAP_MKNOD',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=pipe',
    `--bind-ro=${board.fixture}:${FIXTURE_DIRECTORY}`,
    `--bind-ro=${board.fixture}/firmware:/sys/firmware`,
    `--bind-ro=${board.fixture}/disks:/sys/block`,
    `--bind-ro=${board.fixture}/block:/sys/class/block`,
    // Below /proc, systemd-nspawn looks for the source in the board.
    `--bind-ro=${FIXTURE_DIRECTORY}/cpuinfo:/proc/cpuinfo`,
    ...(existsSync(AUTOFS) ? [`--bind=${AUTOFS}`] : []),
    '--boot',
  ];
}

function isFirstOfItsNamespace(pid: number): boolean {
  return /^NSpid:\t\d+.*\t1$/m.test(readOrEmpty(`/proc/${pid}/status`));
}

function cgroupsOf(pid: number): string[] {
  return readOrEmpty(`/proc/${pid}/cgroup`)
    .split('\n')
    .map((line) => line.split(':')[2] ?? '');
}

/** systemd-nspawn leaves these behind when it is killed, and a directory where /run is not a tmpfs. */
function removeRemains(paths: BoardsPaths, name: string): void {
  for (const kind of entriesOf(NSPAWN_RUNTIME)) {
    rmSync(join(NSPAWN_RUNTIME, kind, machineName(paths, name)), { recursive: true, force: true });
  }
  const root = statSync(boardPaths(paths, name).root, { throwIfNoEntry: false });
  if (root !== undefined) rmSync(`${NSPAWN_RUNTIME}/locks/inode-${root.dev}:${root.ino}`, { force: true });
  rmSync(join(boardPaths(paths, name).directory, '.#root.lck'), { force: true });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
