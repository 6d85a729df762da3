import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { LabPaths } from './lab-directory.ts';
import { NODE_NAMES } from './topology.ts';
import type { NodeName } from './topology.ts';

const UNSHARE = ['unshare', '--uts', '--mount', '--propagation', 'slave', '--'] as const;

let separable: boolean | undefined;

/**
 * Whether this machine lets root give each node a host name and a /dev/shm of its own (a container often does not).
 * Without them all nodes bear the machine's name, and Open MPI has to be kept from sharing memory between them.
 */
export function canSeparateNodes(): boolean {
  separable ??=
    spawnSync('/usr/bin/unshare', [...UNSHARE.slice(1), 'sh', '-ec', separation('/etc/hosts', 'node02')])
      .status === 0;
  return separable;
}

/** The command that becomes slurmd, under the same pid, on a node with a name of its own. */
export function onNode(paths: LabPaths, node: NodeName, argv: readonly string[]): string[] {
  if (!canSeparateNodes()) return [...argv];
  return [...UNSHARE, 'sh', '-ec', `${separation(paths.nodeHosts, node)}; exec "$@"`, 'sh', ...argv];
}

/** The nodes' /etc/hosts: their own names first, then what the machine's says. */
export function nodeHosts(address: string): string {
  return `127.0.0.1 localhost\n${address} ${NODE_NAMES.join(' ')}\n${readFileSync('/etc/hosts', 'utf8')}`;
}

function separation(hostsFile: string, node: NodeName): string {
  return `hostname ${node}; mount --bind ${hostsFile} /etc/hosts; mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm`;
}
