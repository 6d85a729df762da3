import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AccessQuery,
  accessQuerySchema,
  type NamespaceAccess,
  namespaceAccessSchema,
} from '#core/cluster/access-view/access-resource';
import {
  type ClusterNamespaceList,
  clusterNamespaceListSchema,
  namespaceNameSchema,
} from '#core/cluster/namespaces/namespace';
import { ReadCluster } from '#core/cluster/read-cluster';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

/** Answers what namespaces the Kubernetes cluster has, and who may do what in them. */
@ApiTags('cluster')
@Controller('v1/cluster/namespaces')
@Requires('nodes:read')
export class NamespacesController {
  readonly #cluster: ReadCluster;

  constructor(@Inject(ReadCluster) cluster: ReadCluster) {
    this.#cluster = cluster;
  }

  @Get()
  @ApiOperation({ summary: "List the Kubernetes cluster's namespaces" })
  @Answers(200, clusterNamespaceListSchema, [503])
  list(): Promise<ClusterNamespaceList> {
    return this.#cluster.namespaces();
  }

  @Get(':name/access')
  @Requires('access:manage')
  @ApiOperation({
    summary: 'Read who may do what in a namespace, and why',
    description:
      'One entry for each subject of each binding that reaches the namespace, cluster-wide ones among them. ' +
      '`?verb=delete&resource=pods` asks who may delete pods there, `?subject=user:ada` what Ada may do. ' +
      'Which groups a user is in is up to whoever signs the user in: of users and groups, only what bindings say is known.',
  })
  @Answers(200, namespaceAccessSchema, [400, 404, 503])
  access(
    @Param('name', { schema: namespaceNameSchema }) name: string,
    @Query({ schema: accessQuerySchema }) query: AccessQuery,
  ): Promise<NamespaceAccess> {
    return this.#cluster.access(name, query);
  }
}
