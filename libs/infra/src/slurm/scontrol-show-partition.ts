import type { PartitionResource } from '#core/cluster/cluster';
import { expandHostlist } from './hostlist.ts';
import { readField, readRecords } from './scontrol-record.ts';
import { parseSlurmLimit } from './slurm-time.ts';

export function command(): [string, ...string[]] {
  return ['scontrol', 'show', 'partition', '--oneliner', '--all'];
}

/** @throws SyntaxError where a partition is not understood */
export function parse(stdout: string): PartitionResource[] {
  return readRecords(stdout, 'PartitionName').map((record) => {
    const field = (key: string): string => {
      const value = readField(record, key);
      if (value === null)
        throw new SyntaxError(`scontrol show partition wrote no ${key}: ${record.slice(0, 200)}`);
      return value;
    };
    return {
      name: field('PartitionName'),
      isDefault: field('Default') === 'YES',
      state: field('State').toLowerCase(),
      nodes: expandHostlist(readField(record, 'Nodes') ?? ''),
      nodeCount: Number(field('TotalNodes')),
      cpus: Number(field('TotalCPUs')),
      maxTimeSeconds: parseSlurmLimit(field('MaxTime')),
      defaultTimeSeconds: parseSlurmLimit(field('DefaultTime')),
    };
  });
}
