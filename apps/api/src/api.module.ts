import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { LoggerModule } from 'nestjs-pino';
import { Authenticate } from '#core/access/authenticate';
import { ManageAccess } from '#core/access/manage-access';
import { ReadCluster } from '#core/cluster/read-cluster';
import type { ApiConfiguration } from '#core/configuration/configuration';
import { RequestCancel } from '#core/jobs/request-cancel';
import { ManageDiscoveries } from '#core/nodes/discovery/manage-discoveries';
import { ReadNodes } from '#core/nodes/inventory/read-nodes';
import { ManageBoards } from '#core/nodes/manage-boards';
import { ManageOperations } from '#core/operations/manage-operations';
import { Catalog } from '#core/services/catalog/catalog';
import { ManageServices } from '#core/services/manage-services';
import { type LiveServices, ReadServices } from '#core/services/read-services';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { UploadArtifact } from '#core/artifacts/upload-artifact';
import { SubmitJob } from '#core/jobs/submit-job';
import { openClusterView, openLiveServices } from '#infra/kubernetes/open-kubernetes';
import { openLabRegistry } from '#infra/registry/open-lab-registry';
import { ApiMetrics } from '#infra/observability/metrics';
import type { Logger } from '#infra/observability/logger';
import { Readiness } from '#infra/observability/readiness';
import type { Platform } from '#infra/platform/platform';
import { serviceSiteOf } from '#infra/services/service-site-of';
import { ApiKeyGuard } from './access/api-key.guard.ts';
import { ClosedByDefault } from './access/closed-by-default.ts';
import { CONTROLLERS } from './controllers.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { requestId } from './http/request-id.ts';
import { SchemaValidationPipe } from './http/schema-validation.pipe.ts';
import {
  ACCESS_STORE,
  ARTIFACT_CONTENTS,
  ARTIFACT_STORE,
  CLUSTER_OBSERVATIONS,
  CONFIGURATION,
  JOB_CHANGES,
  JOB_STORE,
  METRICS,
  OPERATION_STORE,
  READINESS,
  RUN_FILES,
} from './ports.ts';

@Module({})
export class ApiModule {
  /**
   * Wires the api around an open platform; whoever opened the platform closes it.
   * @param live what is asked of the cluster about services; default: as it is configured
   */
  static around(
    platform: Platform,
    configuration: ApiConfiguration,
    logger: Logger,
    live: LiveServices | null = openLiveServices(configuration),
  ): DynamicModule {
    const { access, artifacts, jobs, queues, storage, clock, ids, keyMaterial } = platform;
    const submitJob = new SubmitJob({
      jobs,
      artifacts,
      access,
      queue: queues.jobQueue,
      ids,
      clock,
      clusterPath: (jobId) => storage.runs.clusterPath(jobId),
    });
    const serviceParts = {
      catalog: new Catalog(),
      services: platform.services,
      operations: platform.operations,
      secrets: platform.secrets,
      site: serviceSiteOf(configuration, platform.boards),
    };
    const metrics = new ApiMetrics({
      countJobs: () => jobs.countByState(),
      countQueues: () => queues.counts(),
    });
    return {
      module: ApiModule,
      imports: [
        DiscoveryModule,
        LoggerModule.forRoot({
          pinoHttp: {
            logger,
            genReqId: requestId,
            autoLogging: { ignore: ({ url }) => /^\/(healthz|readyz|metrics)$/.test(url ?? '') },
          },
        }),
      ],
      controllers: CONTROLLERS,
      providers: [
        ClosedByDefault,
        { provide: APP_GUARD, useClass: ApiKeyGuard },
        { provide: APP_PIPE, useClass: SchemaValidationPipe },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: SubmitJob, useValue: submitJob },
        {
          provide: UploadArtifact,
          useValue: new UploadArtifact({ artifacts, contents: storage.artifactContents, ids, clock }),
        },
        {
          provide: ManageBoards,
          useValue: new ManageBoards({
            boards: platform.boards,
            queue: queues.operationQueue,
            secrets: platform.secrets,
            ids,
            clock,
            procedures: PROCEDURES,
          }),
        },
        {
          provide: ManageOperations,
          useValue: new ManageOperations({
            operations: platform.operations,
            queue: queues.operationQueue,
            clock,
          }),
        },
        {
          provide: ManageDiscoveries,
          useValue: new ManageDiscoveries({
            discoveries: platform.discoveries,
            queue: queues.discoveryQueue,
            ids,
            clock,
            subnet: configuration.BRAMBLE_BOARD_SUBNET,
          }),
        },
        {
          provide: ReadNodes,
          useValue: new ReadNodes({
            observations: platform.observations,
            inventory: platform.inventory,
            events: platform.nodeEvents,
          }),
        },
        {
          provide: ReadCluster,
          useValue: new ReadCluster(openClusterView(configuration), openLabRegistry(configuration)),
        },
        {
          provide: ManageServices,
          useValue: new ManageServices({ ...serviceParts, queue: queues.operationQueue, ids, clock }),
        },
        { provide: ReadServices, useValue: new ReadServices({ ...serviceParts, live }) },
        { provide: RequestCancel, useValue: new RequestCancel(jobs, queues.jobQueue, clock) },
        { provide: Authenticate, useValue: new Authenticate(access, keyMaterial, clock) },
        { provide: ManageAccess, useValue: new ManageAccess(access, keyMaterial, ids, clock) },
        { provide: ACCESS_STORE, useValue: access },
        { provide: ARTIFACT_CONTENTS, useValue: storage.artifactContents },
        { provide: ARTIFACT_STORE, useValue: artifacts },
        { provide: CLUSTER_OBSERVATIONS, useValue: platform.observations },
        { provide: CONFIGURATION, useValue: configuration },
        { provide: JOB_CHANGES, useValue: platform.changes },
        { provide: JOB_STORE, useValue: jobs },
        { provide: METRICS, useValue: metrics },
        { provide: OPERATION_STORE, useValue: platform.operations },
        { provide: READINESS, useValue: new Readiness(platform.readinessParts()) },
        { provide: RUN_FILES, useValue: storage.files },
      ],
    };
  }
}
