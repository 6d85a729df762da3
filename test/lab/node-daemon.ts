import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onHost } from './host-separation.ts';
import type { LabPaths } from './lab-directory.ts';
import { isListening } from './listening.ts';
import {
  daemonPid,
  descendantsOf,
  killDaemon,
  processEnvironment,
  processStartTime,
  runningProcesses,
  signal,
  startDaemon,
  waitUntilReady,
} from './processes.ts';
import type { RunningProcess } from './processes.ts';
import type { NodeName } from './topology.ts';
import { waitUntil } from './waiting.ts';

/** Tells on which node of the lab a slurmstepd runs: it inherits this from its slurmd. */
const NODE_MARK = 'BRAMBLE_LAB_NODE';

export function nodeDaemonName(node: NodeName): string {
  return `slurmd-${node}`;
}

/** Starts a node's slurmd and waits until it can be reached. Does nothing when it runs. */
export async function startNodeDaemon(paths: LabPaths, node: NodeName, port: number): Promise<void> {
  if (daemonPid(paths, nodeDaemonName(node)) !== undefined) return;
  const temporary = join(paths.nodes, node, 'tmp');
  mkdirSync(temporary, { recursive: true, mode: 0o755 });
  chmodSync(temporary, 0o1777);
  const [command = '', ...commandArguments] = onHost(paths, node, [
    '/usr/sbin/slurmd',
    '-D',
    '-N',
    node,
    '-f',
    paths.slurmConf,
  ]);
  startDaemon(paths, {
    name: nodeDaemonName(node),
    command,
    commandArguments,
    environment: { SLURM_CONF: paths.slurmConf, [NODE_MARK]: node },
  });
  await waitUntilReady(paths, nodeDaemonName(node), () => isListening({ host: '127.0.0.1', port }), 10);
}

/** What a power cut does: slurmd, and all that it and its jobs started on the node, end at once and tell nobody. */
export async function killNode(paths: LabPaths, node: NodeName): Promise<void> {
  const jobs = jobProcesses(paths, node);
  await killDaemon(paths, nodeDaemonName(node));
  await killAll([...jobs, ...jobProcesses(paths, node)]);
}

/** Ends what jobs have left behind on any node, after slurmctld and all slurmd have ended. */
export async function killJobProcesses(paths: LabPaths): Promise<void> {
  await killAll(jobProcesses(paths));
}

/**
 * A slurmstepd names the node in its environment, a job's process the node and the lab's slurm.conf. Their descendants
 * are included, for a job may clear its environment.
 */
function jobProcesses(paths: LabPaths, node?: NodeName): RunningProcess[] {
  const processes = runningProcesses();
  const marked = processes.filter(
    ({ pid }) => pid !== process.pid && isOnNode(processEnvironment(pid), paths, node),
  );
  return [...marked, ...descendantsOf(marked, processes)];
}

function isOnNode(environment: readonly string[], paths: LabPaths, node?: NodeName): boolean {
  if (!environment.includes(`SLURM_CONF=${paths.slurmConf}`)) return false;
  return [NODE_MARK, 'SLURMD_NODENAME'].some((variable) =>
    node === undefined
      ? environment.some((entry) => entry.startsWith(`${variable}=`))
      : environment.includes(`${variable}=${node}`),
  );
}

async function killAll(processes: readonly RunningProcess[]): Promise<void> {
  const left = (): RunningProcess[] =>
    processes.filter(({ pid, startTime }) => processStartTime(pid) === startTime);
  for (const { pid } of left()) signal(pid, 'SIGKILL');
  await waitUntil("a node's jobs to end", () => left().length === 0);
}
