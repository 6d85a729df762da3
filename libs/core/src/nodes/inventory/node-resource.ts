import { z } from 'zod';
import { slurmNodeSchema } from '../../cluster/cluster.ts';
import { kubernetesNodeSchema } from '../../cluster/kubernetes-nodes.ts';
import { boardFactsSchema, boardRoleSchema } from '../board.ts';
import { boardHealthSchema } from './board-health.ts';
import { driftSchema } from './drift.ts';

const {
  model,
  serial,
  os,
  kernel,
  architecture,
  cpus,
  memoryMebibytes,
  pageSizeBytes,
  temperatureCelsius,
  throttled,
} = boardFactsSchema.shape;

/** A board as everybody sees it who may see nodes: nothing of how Bramble signs in. */
export const nodeBoardSchema = z
  .object({
    id: z.string(),
    address: z.string(),
    roles: z.array(boardRoleSchema),
    labels: z.record(z.string(), z.string()),
    model,
    serial,
    os: os.nullable(),
    kernel: kernel.nullable(),
    architecture: architecture.nullable(),
    cpus: cpus.nullable(),
    memoryMebibytes: memoryMebibytes.nullable(),
    pageSizeBytes: pageSizeBytes.nullable(),
    temperatureCelsius,
    throttled,
    health: boardHealthSchema,
    drift: driftSchema,
  })
  .describe('What the board has told is null before the first connection.')
  .meta({ id: 'NodeBoard' });

export const nodeKubernetesSchema = kubernetesNodeSchema
  .omit({ name: true })
  .extend({ observedAt: z.iso.datetime().describe('When Kubernetes gave this answer.') })
  .meta({ id: 'NodeKubernetes' });

/** A machine of the cluster, by all who know it. */
export const nodeResourceSchema = z
  .object({
    name: z.string(),
    address: z.string(),
    slurm: slurmNodeSchema
      .omit({ name: true })
      .meta({ id: 'SlurmNode' })
      .nullable()
      .describe('As Slurm sees it; null where Slurm does not know it, or has not answered yet.'),
    board: nodeBoardSchema.nullable().describe('As Bramble knows it; null where it is not enrolled.'),
    kubernetes: nodeKubernetesSchema
      .nullable()
      .describe('As Kubernetes sees it; null where it is no node of the cluster, or none is configured.'),
  })
  .meta({ id: 'Node' });
export type NodeResource = z.output<typeof nodeResourceSchema>;

const observedAt = z.iso
  .datetime()
  .nullable()
  .describe('When Slurm gave its answer; null where it has not answered since Bramble was set up.');

export const nodeListSchema = z
  .object({ items: z.array(nodeResourceSchema).describe('In order of name.'), observedAt })
  .meta({ id: 'NodeList' });
export type NodeList = z.output<typeof nodeListSchema>;
export const observedNodeSchema = nodeResourceSchema.extend({ observedAt }).meta({ id: 'ObservedNode' });
export type ObservedNode = z.output<typeof observedNodeSchema>;
