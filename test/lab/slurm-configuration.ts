import { lookup } from 'node:dns/promises';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { writeFileAtomically } from './atomic-file.ts';
import { canSeparateHosts, hostsFile } from './host-separation.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import { CGROUP_CONF, canConstrainMemory } from './memory-cgroups.ts';
import { nodePort } from './ports.ts';
import type { LabPorts } from './ports.ts';
import { CLUSTER_NAME, CONTROLLER_HOST, NODE_NAMES } from './topology.ts';

export const MESSAGE_TIMEOUT_SECONDS = 10;

/** What a test may want otherwise. An `up` without settings goes back to the defaults. */
export interface LabSettings {
  /** Seconds that slurmctld remembers an ended job; it looks about once a minute. Default 300, as Slurm's own. */
  minJobAgeSeconds?: number;
  /** Seconds between SIGTERM and SIGKILL for jobs that are over their time limit. Default 5. */
  killWaitSeconds?: number;
  /** Seconds of silence after which a node counts as down. Default 10. */
  nodeTimeoutSeconds?: number;
  /**
   * What ends a job that takes more memory than it asked for. `gatherer`, the default, works everywhere: slurmd looks
   * once a second, and the job ends FAILED with JobLaunchFailure. `cgroup` is what a real cluster has, with the state
   * OUT_OF_MEMORY; it needs cgroups of version 1, and two labs must not use it at the same time.
   */
  memoryLimits?: 'gatherer' | 'cgroup';
}

/**
 * Writes slurm.conf and what it refers to.
 *
 * Slurm's daemons, and `srun` while it waits for tasks, can only be told to bind to the address that the host's name
 * stands for. On the lab's own hosts that is 127.0.0.1. Clients run on the machine itself, whose name may stand for
 * anything: their slurm.conf leaves the line out. Where hosts cannot be separated and the machine's name is not
 * 127.0.0.1, all listen on all addresses; requests without the lab's munge key are refused all the same.
 *
 * @returns whether anything changed that a running daemon does not know.
 */
export async function writeSlurmConfiguration(
  paths: LabPaths,
  ports: LabPorts,
  settings: LabSettings = {},
): Promise<boolean> {
  const separate = canSeparateHosts();
  if (settings.memoryLimits === 'cgroup') {
    if (!canConstrainMemory()) throw new LabError('This machine has no memory cgroups of version 1');
    writeFileAtomically(paths.cgroupConf, CGROUP_CONF, 0o644);
  }
  writeFileAtomically(paths.taskProlog, taskProlog(separate), 0o755);
  const forClients = slurmConf(paths, ports, settings, separate);
  if (!separate) {
    const bound = (await machineIsLoopback()) ? `${BIND_TO_HOST_NAME}${forClients}` : forClients;
    return writeIfDifferent(paths.slurmConf, bound);
  }
  const changed = [
    writeIfDifferent(paths.slurmConf, forClients),
    writeIfDifferent(paths.daemonsSlurmConf, `${BIND_TO_HOST_NAME}${forClients}`),
    writeIfDifferent(paths.hostsFile, hostsFile()),
  ];
  return changed.includes(true);
}

const BIND_TO_HOST_NAME = 'CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n';

/** `localhost` and nothing else will do: Debian's 127.0.1.1 is not the address that the kernel answers from. */
async function machineIsLoopback(): Promise<boolean> {
  try {
    return (await lookup(hostname(), { family: 4 })).address === '127.0.0.1';
  } catch {
    return false;
  }
}

function writeIfDifferent(file: string, content: string): boolean {
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return false;
  writeFileAtomically(file, content, 0o644);
  return true;
}

/** What an administrator would set for all users of a cluster of this shape. */
function taskProlog(separate: boolean): string {
  return `#!/bin/sh
# Written by lab:up. What it prints goes into the environment of every task.
# The nodes talk over loopback, whatever other networks this machine has.
echo export OMPI_MCA_btl_tcp_if_include=lo
echo export OMPI_MCA_oob_tcp_if_include=lo
# All nodes share the cores of one machine: ranks are not pinned, and give way while they wait.
echo export OMPI_MCA_hwloc_base_binding_policy=none
echo export OMPI_MCA_mpi_yield_when_idle=1
${separate ? '' : '# Shared memory is named after the host, and all nodes have the same host name.\necho export OMPI_MCA_btl=self,tcp\n'}`;
}

function slurmConf(paths: LabPaths, ports: LabPorts, settings: LabSettings, separate: boolean): string {
  const nodes = NODE_NAMES.map((name) => {
    const host = separate ? name : hostname();
    return `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodePort(ports, name)}`;
  }).join('\n');
  return `# Written by lab:up; changes are overwritten.
ClusterName=${CLUSTER_NAME}
SlurmctldHost=${separate ? CONTROLLER_HOST : hostname()}(127.0.0.1)
SlurmctldPort=${ports.controller}
SlurmUser=slurm

AuthType=auth/munge
AuthInfo=socket=${paths.munge.socket}
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key=${paths.controller.jwtKey}
CredType=cred/munge

StateSaveLocation=${paths.controller.state}
SlurmctldLogFile=${paths.logs}/slurmctld.log
SlurmdLogFile=${paths.logs}/slurmd-%n.log
SlurmctldPidFile=${paths.controller.directory}/slurmctld.pid
SlurmdSpoolDir=${paths.nodes}/%n
TmpFS=${paths.nodes}/%n/tmp
SlurmdPidFile=${paths.pids}/slurmd-%n.pid
TaskProlog=${paths.taskProlog}

# Four nodes on one machine, with more cores than it may have.
ProctrackType=proctrack/linuxproc
TaskPlugin=${settings.memoryLimits === 'cgroup' ? 'task/cgroup' : 'task/none'}
SlurmdParameters=config_overrides
SlurmctldParameters=enable_configless
MaxNodeCount=64

SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=900
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
${settings.memoryLimits === 'cgroup' ? '' : 'JobAcctGatherParams=OverMemoryKill\n'}AccountingStorageType=accounting_storage/none
EnforcePartLimits=ALL
MaxArraySize=1001
MpiDefault=none

# Quick answers: tests wait for each of these.
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=5
KillWait=${settings.killWaitSeconds ?? 5}
MinJobAge=${settings.minJobAgeSeconds ?? 300}
MessageTimeout=${MESSAGE_TIMEOUT_SECONDS}
SlurmdTimeout=${settings.nodeTimeoutSeconds ?? 10}
ReturnToService=2

NodeName=DEFAULT Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=3800 Features=rpi4,lab State=UNKNOWN
${nodes}

PartitionName=compute Nodes=${NODE_NAMES.join(',')} Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 State=UP
PartitionName=short Nodes=node02,node03 MaxTime=00:02:00 DefaultTime=00:01:00 State=UP
PartitionName=down Nodes=${NODE_NAMES.join(',')} MaxTime=1-00:00:00 DefaultTime=00:10:00 State=DOWN
`;
}
