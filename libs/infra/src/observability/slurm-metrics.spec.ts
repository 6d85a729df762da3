import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { ObservedCluster, SlurmNode } from '#core/cluster/cluster';
import { SlurmMetrics } from './slurm-metrics.ts';

const node = (name: string, patch: Partial<SlurmNode> = {}): SlurmNode => ({
  name,
  address: name,
  state: 'idle',
  flags: [],
  reason: null,
  partitions: ['all'],
  features: [],
  cpus: 4,
  cpusAllocated: 0,
  memoryMebibytes: 1000,
  memoryAllocatedMebibytes: 0,
  architecture: null,
  operatingSystem: null,
  slurmVersion: null,
  bootedAt: null,
  ...patch,
});

const partition = (name: string, nodes: string[]) => ({
  name,
  isDefault: true,
  state: 'up',
  nodes,
  nodeCount: nodes.length,
  cpus: nodes.length * 4,
  maxTimeSeconds: null,
  defaultTimeSeconds: null,
});

const observed: ObservedCluster = {
  observedAt: new Date(1_700_000_000_500),
  snapshot: {
    name: 'bramble',
    slurmVersion: '22.05.8',
    nodes: [
      node('node02', { state: 'mixed', cpusAllocated: 3, memoryAllocatedMebibytes: 512 }),
      node('node03', { state: 'mixed', flags: ['drain'], cpusAllocated: 1 }),
      node('node04', { flags: ['drain'] }),
      node('node05', { state: 'down', flags: ['not_responding'] }),
    ],
    partitions: [partition('all', ['node02', 'node03', 'node04', 'node05']), partition('short', ['node02'])],
    jobsPending: 7,
    jobsRunning: 2,
  },
};

async function shown(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('metrics of Slurm', () => {
  it('show nothing before Slurm has answered', async () => {
    const registry = new Registry();
    new SlurmMetrics(registry);
    expect(await shown(registry)).toEqual([]);
  });

  it('show nodes by what keeps them from having jobs, and what is allocated', async () => {
    const registry = new Registry();
    new SlurmMetrics(registry).set(observed);
    expect(await shown(registry)).toEqual(
      expect.arrayContaining([
        'bramble_slurm_nodes{state="idle"} 0',
        'bramble_slurm_nodes{state="mixed"} 1',
        'bramble_slurm_nodes{state="draining"} 1',
        'bramble_slurm_nodes{state="drained"} 1',
        'bramble_slurm_nodes{state="not_responding"} 1',
        'bramble_slurm_node_state{node="node05",state="not_responding"} 1',
        'bramble_slurm_nodes_available 1',
        'bramble_slurm_cpus 16',
        'bramble_slurm_cpus_allocated 4',
        'bramble_slurm_memory_allocated_bytes 536870912',
        'bramble_slurm_jobs{state="pending"} 7',
        'bramble_slurm_partition_cpus{partition="short"} 4',
        'bramble_slurm_partition_cpus_allocated{partition="short"} 3',
        'bramble_slurm_observed_timestamp_seconds 1700000000.5',
      ]),
    );
  });

  it('forget a node that has gone, and everything when reset', async () => {
    const registry = new Registry();
    const metrics = new SlurmMetrics(registry);
    metrics.set(observed);
    metrics.set({ ...observed, snapshot: { ...observed.snapshot, nodes: [node('node02')] } });
    expect((await shown(registry)).filter((line) => line.includes('node_state'))).toEqual([
      'bramble_slurm_node_state{node="node02",state="idle"} 1',
    ]);
    metrics.reset();
    expect(await shown(registry)).toEqual([]);
  });
});
