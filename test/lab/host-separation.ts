import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { LabPaths } from './lab-directory.ts';
import { CONTROLLER_HOST, NODE_NAMES } from './topology.ts';

const NAMESPACES = ['--uts', '--mount', '--propagation', 'slave', '--'] as const;

let separable: boolean | undefined;

/**
 * Whether this machine lets root give the controller and each node a host name, a /dev/shm and a slurm.conf of its own
 * (a container often does not). Without them all hosts of the lab bear the machine's name, and Open MPI has to be kept
 * from sharing memory between them.
 */
export function canSeparateHosts(): boolean {
  separable ??=
    spawnSync('/usr/bin/unshare', [
      ...NAMESPACES,
      'sh',
      '-ec',
      'hostname node02; mount -t tmpfs tmpfs /dev/shm',
    ]).status === 0;
  return separable;
}

/** The command that becomes the daemon, under the same pid, on a host with a name of its own. */
export function onHost(paths: LabPaths, host: string, argv: readonly string[]): string[] {
  if (!canSeparateHosts()) return [...argv];
  const script = [
    `hostname ${host}`,
    `mount --bind ${paths.hostsFile} /etc/hosts`,
    `mount --bind ${paths.daemonsSlurmConf} ${paths.slurmConf}`,
    'mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm',
    'exec "$@"',
  ].join('; ');
  return ['/usr/bin/unshare', ...NAMESPACES, 'sh', '-ec', script, 'sh', ...argv];
}

/** /etc/hosts on the lab's hosts: their own names first, then what the machine's says. */
export function hostsFile(): string {
  const names = [CONTROLLER_HOST, ...NODE_NAMES].join(' ');
  return `127.0.0.1 localhost ${names}\n${readFileSync('/etc/hosts', 'utf8')}`;
}
