import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { account } from './accounts.ts';
import { onHost } from './host-separation.ts';
import type { LabPaths } from './lab-directory.ts';
import { daemonPid, killDaemon, signal, startDaemon, stopDaemon, waitUntilReady } from './processes.ts';
import { runInLab } from './slurm-client.ts';
import { CONTROLLER_HOST } from './topology.ts';

export const CONTROLLER = 'slurmctld';

/** Starts slurmctld and waits until it answers. Does nothing when it runs. */
export async function startController(paths: LabPaths): Promise<void> {
  if (daemonPid(paths, CONTROLLER) !== undefined) return;
  const { uid, gid } = account('slurm');
  for (const directory of [paths.controller.directory, paths.controller.state]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chownSync(directory, uid, gid);
  }
  if (!existsSync(paths.controller.jwtKey)) {
    writeFileSync(paths.controller.jwtKey, randomBytes(32), { mode: 0o600 });
    chownSync(paths.controller.jwtKey, uid, gid);
  }
  const log = join(paths.logs, 'slurmctld.log');
  closeSync(openSync(log, 'a', 0o644));
  chownSync(log, uid, gid);
  const [command = '', ...commandArguments] = onHost(paths, CONTROLLER_HOST, [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '/usr/sbin/slurmctld',
    '-D',
    '-f',
    paths.slurmConf,
  ]);
  startDaemon(paths, {
    name: CONTROLLER,
    command,
    commandArguments,
    environment: { SLURM_CONF: paths.slurmConf },
  });
  await waitUntilReady(paths, CONTROLLER, () => controllerAnswers(paths), 30);
}

/** Ends slurmctld the way an administrator does: it saves its state first. */
export function stopController(paths: LabPaths): Promise<void> {
  return stopDaemon(paths, CONTROLLER);
}

/** SIGKILL: what slurmctld had not yet saved is lost. */
export function killController(paths: LabPaths): Promise<void> {
  return killDaemon(paths, CONTROLLER);
}

/**
 * SIGSTOP: the kernel still accepts requests, and nobody answers. Clients give up after MessageTimeout; once slurmctld
 * goes on it works off what has piled up, submissions included whose senders have long gone.
 */
export function pauseController(paths: LabPaths): void {
  const pid = daemonPid(paths, CONTROLLER);
  if (pid !== undefined) signal(pid, 'SIGSTOP');
}

export function continueController(paths: LabPaths): void {
  const pid = daemonPid(paths, CONTROLLER);
  if (pid !== undefined) signal(pid, 'SIGCONT');
}

export async function controllerAnswers(paths: LabPaths): Promise<boolean> {
  if (daemonPid(paths, CONTROLLER) === undefined) return false;
  const ping = await runInLab(paths, ['scontrol', 'ping'], { timeoutMs: 5_000 });
  return ping.stdout.includes('is UP');
}
