import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_NAMES } from './topology.ts';

const MEMORY_CGROUPS = '/sys/fs/cgroup/memory';

/** Whether slurmd can confine jobs by the kernel's memory cgroups, version 1, as they are on this machine. */
export function canConstrainMemory(): boolean {
  return (
    existsSync(join(MEMORY_CGROUPS, 'memory.limit_in_bytes')) &&
    existsSync(join(MEMORY_CGROUPS, 'release_agent'))
  );
}

/** The lab's cgroup.conf. Only memory is confined: the nodes have more cores than the machine. */
export const CGROUP_CONF = `# Written by lab:up; changes are overwritten.
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
ConstrainCores=no
ConstrainDevices=no
`;

/** Removes the nodes' cgroups. Those that still hold a process stay. */
export function removeMemoryCgroups(): void {
  for (const node of NODE_NAMES) removeEmptyCgroup(join(MEMORY_CGROUPS, `slurm_${node}`));
}

function removeEmptyCgroup(cgroup: string): void {
  if (!existsSync(cgroup)) return;
  for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyCgroup(join(cgroup, entry.name));
  }
  try {
    rmdirSync(cgroup);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EBUSY' && code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
  }
}
