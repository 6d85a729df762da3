import type { Command } from 'commander';
import type { Cluster, Partition } from '../api-types.ts';
import { localTime, span } from './measures.ts';
import type { Session } from './session.ts';
import { type Column, details, table } from './table.ts';

const PARTITION_COLUMNS: readonly Column<Partition>[] = [
  { title: 'NAME', value: ({ name, isDefault }) => (isDefault ? `${name}*` : name) },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'NODES', value: ({ nodeCount }) => nodeCount, align: 'right' },
  { title: 'CPUS', value: ({ cpus }) => cpus, align: 'right' },
  {
    title: 'LONGEST',
    value: ({ maxTimeSeconds }) => (maxTimeSeconds === null ? 'unlimited' : span(maxTimeSeconds * 1000)),
    align: 'right',
  },
];

export function addClusterCommands(program: Command, session: Session): void {
  program
    .command('partitions')
    .summary('list the partitions; * marks the default')
    .action(async () => {
      const partitions = await session.client().partitions.list();
      await session.print(partitions, () => table(PARTITION_COLUMNS, partitions.items));
    });

  program
    .command('cluster')
    .summary('show capacity and use of the cluster')
    .action(async () => {
      const cluster = await session.client().cluster();
      await session.print(cluster, () => clusterDetails(cluster));
    });
}

function clusterDetails({
  name,
  slurmVersion,
  nodes,
  cpus,
  memoryMebibytes,
  jobs,
  observedAt,
}: Cluster): string {
  return details([
    ['cluster', name],
    ['Slurm', slurmVersion],
    ['nodes', `${nodes.available} of ${nodes.total} available`],
    ['CPUs', `${cpus.allocated} of ${cpus.total} in use`],
    ['memory', `${memoryMebibytes.allocated} of ${memoryMebibytes.total} MiB in use`],
    ['jobs', `${jobs.running} running, ${jobs.pending} waiting`],
    ['as of', localTime(observedAt)],
  ]);
}
