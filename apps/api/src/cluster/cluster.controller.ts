import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type ClusterObservations,
  type ClusterResource,
  clusterResourceSchema,
  nodeListSchema,
  type ObservedCluster,
  observedNodeSchema,
  partitionListSchema,
  toClusterResource,
} from '#core/cluster/cluster';
import { notFound, Problem } from '#core/vocabulary/problem';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';
import { CLUSTER_OBSERVATIONS } from '../ports.ts';

const nodeNameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, 'must be the name of a node');

/** Answers what Slurm last said of itself, and when. */
@ApiTags('cluster')
@Controller('v1')
@Requires('nodes:read')
export class ClusterController {
  readonly #observations: ClusterObservations;

  constructor(@Inject(CLUSTER_OBSERVATIONS) observations: ClusterObservations) {
    this.#observations = observations;
  }

  @Get('nodes')
  @ApiOperation({ summary: 'List the nodes' })
  @Answers(200, nodeListSchema, [503])
  async nodes(): Promise<z.output<typeof nodeListSchema>> {
    const { snapshot, observedAt } = await this.#latest();
    return { items: snapshot.nodes, observedAt: observedAt.toISOString() };
  }

  @Get('nodes/:name')
  @ApiOperation({ summary: 'Read a node' })
  @Answers(200, observedNodeSchema, [404, 503])
  async node(
    @Param('name', { schema: nodeNameSchema }) name: string,
  ): Promise<z.output<typeof observedNodeSchema>> {
    const { snapshot, observedAt } = await this.#latest();
    const node = snapshot.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw notFound('node', name);
    return { ...node, observedAt: observedAt.toISOString() };
  }

  @Get('partitions')
  @ApiOperation({ summary: 'List the partitions' })
  @Answers(200, partitionListSchema, [503])
  async partitions(): Promise<z.output<typeof partitionListSchema>> {
    const { snapshot, observedAt } = await this.#latest();
    return { items: snapshot.partitions, observedAt: observedAt.toISOString() };
  }

  @Get('cluster')
  @ApiOperation({ summary: 'Read capacity and use of the cluster' })
  @Answers(200, clusterResourceSchema, [503])
  async cluster(): Promise<ClusterResource> {
    return toClusterResource(await this.#latest());
  }

  async #latest(): Promise<ObservedCluster> {
    const latest = await this.#observations.latest();
    if (latest === undefined)
      throw new Problem('not_ready', 'Slurm has not answered yet since Bramble was set up.');
    return latest;
  }
}
