import { z } from 'zod';
import type { KubernetesNode } from './kubernetes-nodes.ts';

/** A node as Slurm sees it. */
export const slurmNodeSchema = z.object({
  name: z.string(),
  address: z.string().describe("Slurm's NodeAddr: where slurmctld reaches it."),
  state: z.string().describe("Slurm's base state, lower case: `idle`, `mixed`, `allocated`, `down` …"),
  flags: z
    .array(z.string())
    .describe("Slurm's state flags, lower case: `drain`, `not_responding`, `reboot` …"),
  reason: z.string().nullable().describe('Why the node is drained or down.'),
  partitions: z.array(z.string()),
  features: z.array(z.string()).describe("What a job's `constraint` may name."),
  cpus: z.int(),
  cpusAllocated: z.int(),
  memoryMebibytes: z.int(),
  memoryAllocatedMebibytes: z.int(),
  architecture: z.string().nullable(),
  operatingSystem: z.string().nullable(),
  slurmVersion: z.string().nullable(),
  bootedAt: z.iso.datetime().nullable(),
});
export type SlurmNode = z.output<typeof slurmNodeSchema>;

export const partitionResourceSchema = z
  .object({
    name: z.string(),
    isDefault: z.boolean(),
    state: z.string().describe('`up`, `down`, `drain` or `inactive`.'),
    nodes: z.array(z.string()),
    nodeCount: z.int(),
    cpus: z.int(),
    maxTimeSeconds: z.int().nullable().describe('Longest time limit; null where there is none.'),
    defaultTimeSeconds: z.int().nullable(),
  })
  .meta({ id: 'Partition' });
export type PartitionResource = z.output<typeof partitionResourceSchema>;

/** What Slurm last answered about itself. */
export interface ClusterSnapshot {
  name: string;
  slurmVersion: string;
  nodes: SlurmNode[];
  partitions: PartitionResource[];
  /** Jobs in Slurm that wait, and that run, Bramble's and others'. */
  jobsPending: number;
  jobsRunning: number;
}

export interface ObservedCluster {
  snapshot: ClusterSnapshot;
  observedAt: Date;
}

/** What Kubernetes last answered about its nodes. */
export interface ObservedKubernetes {
  nodes: KubernetesNode[];
  observedAt: Date;
}

/** Where the last answer is kept, for all replicas of the API. */
export interface ClusterObservations {
  record(snapshot: ClusterSnapshot, at: Date): Promise<void>;
  latest(): Promise<ObservedCluster | undefined>;
  recordKubernetes(nodes: KubernetesNode[], at: Date): Promise<void>;
  /** undefined where no Kubernetes is configured, or it has not answered yet. */
  latestKubernetes(): Promise<ObservedKubernetes | undefined>;
  /** Notes that Slurm has answered about its jobs. */
  recordTracking(at: Date): Promise<void>;
  trackedAt(): Promise<Date | null>;
}

const observedAt = z.iso.datetime().describe('When Slurm gave this answer.');

export const partitionListSchema = z
  .object({ items: z.array(partitionResourceSchema), observedAt })
  .meta({ id: 'PartitionList' });
export const clusterResourceSchema = z
  .object({
    name: z.string(),
    slurmVersion: z.string(),
    nodes: z.object({
      total: z.int(),
      available: z.int().describe('Nodes that take jobs now or when one ends.'),
    }),
    cpus: z.object({ total: z.int(), allocated: z.int() }),
    memoryMebibytes: z.object({ total: z.int(), allocated: z.int() }),
    jobs: z.object({ pending: z.int(), running: z.int() }).describe("All jobs in Slurm, others' too."),
    observedAt,
  })
  .meta({ id: 'Cluster' });
export type ClusterResource = z.output<typeof clusterResourceSchema>;

const UNAVAILABLE_STATES = new Set(['down', 'error', 'future', 'unknown', 'inval']);
const UNAVAILABLE_FLAGS = new Set([
  'drain',
  'not_responding',
  'maintenance',
  'powered_down',
  'fail',
  'invalid_reg',
]);

export function toClusterResource({ snapshot, observedAt: at }: ObservedCluster): ClusterResource {
  const { nodes } = snapshot;
  const sum = (read: (node: SlurmNode) => number) => nodes.reduce((total, node) => total + read(node), 0);
  return {
    name: snapshot.name,
    slurmVersion: snapshot.slurmVersion,
    nodes: {
      total: nodes.length,
      available: nodes.filter(
        (node) =>
          !UNAVAILABLE_STATES.has(node.state) && !node.flags.some((flag) => UNAVAILABLE_FLAGS.has(flag)),
      ).length,
    },
    cpus: { total: sum((node) => node.cpus), allocated: sum((node) => node.cpusAllocated) },
    memoryMebibytes: {
      total: sum((node) => node.memoryMebibytes),
      allocated: sum((node) => node.memoryAllocatedMebibytes),
    },
    jobs: { pending: snapshot.jobsPending, running: snapshot.jobsRunning },
    observedAt: at.toISOString(),
  };
}

/** Slurm's answers about nodes and partitions. */
export interface SlurmInventory {
  snapshot(): Promise<ClusterSnapshot>;
}
