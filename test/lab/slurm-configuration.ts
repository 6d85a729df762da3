import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { writeFileAtomically } from './atomic-file.ts';
import { daemonAddress } from './daemon-address.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import { CGROUP_CONF, canConstrainMemory } from './memory-cgroups.ts';
import { canSeparateNodes, nodeHosts } from './node-separation.ts';
import { nodePort } from './ports.ts';
import type { LabPorts } from './ports.ts';
import { CLUSTER_NAME, NODE_NAMES } from './topology.ts';

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

/** Writes slurm.conf and what it refers to. @returns whether slurm.conf changed. */
export async function writeSlurmConfiguration(
  paths: LabPaths,
  ports: LabPorts,
  settings: LabSettings = {},
): Promise<boolean> {
  const address = await daemonAddress();
  const nodesAreSeparate = canSeparateNodes();
  const content = slurmConf(paths, ports, { ...address, nodesAreSeparate, settings });
  if (settings.memoryLimits === 'cgroup') {
    if (!canConstrainMemory()) throw new LabError('This machine has no memory cgroups of version 1');
    writeFileAtomically(paths.cgroupConf, CGROUP_CONF, 0o644);
  }
  if (nodesAreSeparate) writeFileAtomically(paths.nodeHosts, nodeHosts(address.address), 0o644);
  writeFileAtomically(paths.taskProlog, taskProlog(nodesAreSeparate), 0o755);
  if (existsSync(paths.slurmConf) && readFileSync(paths.slurmConf, 'utf8') === content) return false;
  writeFileAtomically(paths.slurmConf, content, 0o644);
  return true;
}

/** What an administrator would set for all users of a cluster of this shape. */
function taskProlog(nodesAreSeparate: boolean): string {
  return `#!/bin/sh
# Written by lab:up. What it prints goes into the environment of every task.
# The nodes talk over loopback, whatever other networks this machine has.
echo export OMPI_MCA_btl_tcp_if_include=lo
echo export OMPI_MCA_oob_tcp_if_include=lo
# All nodes share the cores of one machine: ranks are not pinned, and give way while they wait.
echo export OMPI_MCA_hwloc_base_binding_policy=none
echo export OMPI_MCA_mpi_yield_when_idle=1
${nodesAreSeparate ? '' : '# Shared memory is named after the host, and all nodes have the same host name.\necho export OMPI_MCA_btl=self,tcp\n'}`;
}

function slurmConf(
  paths: LabPaths,
  ports: LabPorts,
  facts: { address: string; loopbackOnly: boolean; nodesAreSeparate: boolean; settings: LabSettings },
): string {
  const { address, loopbackOnly, nodesAreSeparate, settings } = facts;
  const nodes = NODE_NAMES.map((name) => {
    const host = nodesAreSeparate ? name : hostname();
    return `NodeName=${name} NodeHostname=${host} NodeAddr=${address} Port=${nodePort(ports, name)}`;
  }).join('\n');
  return `# Written by lab:up; changes are overwritten.
ClusterName=${CLUSTER_NAME}
SlurmctldHost=${hostname()}(${address})
SlurmctldPort=${ports.controller}
${loopbackOnly ? 'CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n' : ''}SlurmUser=slurm

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
