import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type ClusterObservations,
  type ClusterResource,
  clusterResourceSchema,
  type ObservedCluster,
  partitionListSchema,
  toClusterResource,
} from '#core/cluster/cluster';
import { Problem } from '#core/vocabulary/problem';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';
import { CLUSTER_OBSERVATIONS } from '../ports.ts';

/** Answers what Slurm last said of itself, and when. */
@ApiTags('cluster')
@Controller('v1')
@Requires('nodes:read')
export class ClusterController {
  readonly #observations: ClusterObservations;

  constructor(@Inject(CLUSTER_OBSERVATIONS) observations: ClusterObservations) {
    this.#observations = observations;
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
