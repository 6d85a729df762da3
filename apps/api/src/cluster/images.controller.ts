import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ReadCluster } from '#core/cluster/read-cluster';
import { type ClusterImageList, clusterImageListSchema } from '#core/services/mirror/cluster-image';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

/** Answers what images the Kubernetes cluster runs. */
@ApiTags('cluster')
@Controller('v1/cluster/images')
@Requires('nodes:read')
export class ImagesController {
  readonly #cluster: ReadCluster;

  constructor(@Inject(ReadCluster) cluster: ReadCluster) {
    this.#cluster = cluster;
  }

  @Get()
  @ApiOperation({
    summary: 'List the images that the Kubernetes cluster runs',
    description: "With what the kubelets report of them, and whether the lab's registry has them.",
  })
  @Answers(200, clusterImageListSchema, [503])
  list(): Promise<ClusterImageList> {
    return this.#cluster.images();
  }
}
