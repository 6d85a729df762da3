import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger as NestPinoLogger } from 'nestjs-pino';
import type { SlurmInventory } from '#core/cluster/cluster';
import type { KubernetesNodes } from '#core/cluster/kubernetes-nodes';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import { BringToSlurm } from '#core/jobs/bring-to-slurm';
import { CancelInSlurm } from '#core/jobs/cancel-in-slurm';
import { CollectJob } from '#core/jobs/collect-job';
import { JOB_WORK } from '#core/jobs/job-store';
import type { SlurmController } from '#core/jobs/slurm-controller';
import { WorkOnJob } from '#core/jobs/work-on-job';
import { RunDiscovery } from '#core/nodes/discovery/run-discovery';
import { RunOperation } from '#core/nodes/run-operation';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import type { ServiceCluster } from '#core/services/service-cluster';
import { present } from '#core/vocabulary/answer';
import { LocalNetwork } from '#infra/boards/discovery/local-network';
import { siteOf } from '#infra/boards/site-of';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { Leadership } from '#infra/database/leadership';
import type { Logger } from '#infra/observability/logger';
import type { WorkerMetrics } from '#infra/observability/metrics';
import { Readiness, type ReadinessPart } from '#infra/observability/readiness';
import type { Platform } from '#infra/platform/platform';
import type { WorkerOptions } from '#infra/queue/open-queues';
import { QUEUE_OF_WORK, type QueueName } from '#infra/queue/queue-registry';
import { jobProcessor } from './jobs/job-processors.ts';
import { boardDuties } from './leader/board-duties.ts';
import { leaderDuties } from './leader/duties.ts';
import { perform } from './leader/duty.ts';
import { discoveryProcessor } from './nodes/discovery-processor.ts';
import { operationProcessor } from './operations/operation-processor.ts';
import { serviceDuties, serviceRunner } from './services/service-work.ts';
import { WorkerModule } from './worker.module.ts';

/** What a worker runs on. */
export interface WorkerPorts {
  platform: Platform;
  controller: SlurmController;
  inventory: SlurmInventory;
  nodes: SlurmNodes;
  /** Left out where no Kubernetes is configured. */
  kubernetes?: KubernetesNodes | undefined;
  /** null where no Kubernetes is configured. */
  services: ServiceCluster | null;
  metrics: WorkerMetrics;
  logger: Logger;
}

/**
 * Starts a worker on open ports: it takes work from the queues, seeks to be the leader, and answers health and
 * metrics.
 * @returns how to stop it: what is being worked on is finished first
 */
export async function runWorker(
  ports: WorkerPorts,
  configuration: WorkerConfiguration,
): Promise<() => Promise<void>> {
  const { platform, controller, metrics, logger } = ports;
  const { jobs, artifacts, storage, clock, queues } = platform;
  const work = new WorkOnJob(
    {
      submit: new BringToSlurm({
        jobs,
        artifacts,
        runs: storage.runs,
        slurm: controller,
        clock,
        onSubmitted: metrics.observeSubmission,
      }),
      cancel: new CancelInSlurm(jobs, controller, clock),
      collect: new CollectJob(jobs, storage.runs, controller, clock),
    },
    jobs,
    clock,
  );
  const consuming = (queue: QueueName): WorkerOptions => ({
    takeoverAfterMs: configuration.BRAMBLE_TAKEOVER_AFTER_MS,
    onFinished: (result) => metrics.countWork(queue, result),
  });
  const consumers = JOB_WORK.map((kind) =>
    queues.worker(
      QUEUE_OF_WORK[kind],
      jobProcessor({ work, jobs, clock }, kind),
      consuming(QUEUE_OF_WORK[kind]),
    ),
  );

  const boardOperations = new RunOperation({
    boards: platform.boards,
    connector: new SshBoardConnector(),
    secrets: platform.secrets,
    managedKey: platform.managedKey,
    clock,
    procedures: PROCEDURES,
    site: siteOf(configuration),
    slurm: { nodes: ports.nodes, jobs: controller },
    pause: sleep,
  });
  consumers.push(
    queues.worker(
      'operations',
      operationProcessor({
        store: platform.operations,
        runners: {
          node: boardOperations,
          service: serviceRunner(platform, ports.services, configuration),
        },
        clock,
      }),
      consuming('operations'),
    ),
  );

  const discoveries = new RunDiscovery({
    discoveries: platform.discoveries,
    boards: platform.boards,
    scanner: new LocalNetwork(),
    clock,
    subnet: configuration.BRAMBLE_BOARD_SUBNET,
  });
  consumers.push(
    queues.worker('nodes.discover', discoveryProcessor(discoveries), consuming('nodes.discover')),
  );

  const stopped = new AbortController();
  const leadership = new Leadership({ url: platform.databaseUrl, name: 'worker', log: () => {} });
  const leading = configuration.BRAMBLE_LEADER
    ? leadership.run((lost) => lead(ports, configuration, lost), stopped.signal)
    : undefined;

  const app = await NestFactory.create<NestExpressApplication>(
    WorkerModule.around(new Readiness(readinessParts(ports)), metrics, logger),
    { logger: ['warn', 'error'], abortOnError: false },
  );
  app.disable('x-powered-by');
  await app.init();
  app.useLogger(app.get(NestPinoLogger));
  await app.listen(configuration.BRAMBLE_WORKER_PORT, configuration.BRAMBLE_WORKER_HOST);
  logger.info(`Working; health and metrics on ${await app.getUrl()}`);

  void tellOfSlurm(ports);

  return async () => {
    stopped.abort();
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await leading;
    await app.close();
  };
}

/** Slurm is not required: without it the worker waits, and a restart would not help. */
function readinessParts({ platform, inventory }: WorkerPorts): ReadinessPart[] {
  return [
    ...platform.readinessParts(),
    { name: 'slurm', required: false, check: async () => present(await inventory.snapshot()) },
  ];
}

async function tellOfSlurm({ controller, logger }: WorkerPorts): Promise<void> {
  const settings = await controller.settings();
  if (settings.kind === 'present') logger.info(`Jobs go to the cluster ${settings.value.cluster}`);
  else logger.warn(`Jobs wait for Slurm, everything else goes on: ${settings.because}`);
}

async function lead(
  ports: WorkerPorts,
  configuration: WorkerConfiguration,
  lost: AbortSignal,
): Promise<void> {
  ports.logger.info('This worker leads: it follows jobs, sweeps, and looks at the cluster');
  ports.metrics.setLeader(true);
  try {
    await Promise.all(
      [
        ...leaderDuties({ ...ports, slurm: ports.controller }, configuration),
        ...boardDuties(ports, configuration),
        ...serviceDuties(ports.platform, ports.services, configuration),
      ].map((duty) => perform(duty, ports.logger, lost)),
    );
  } finally {
    ports.metrics.setLeader(false);
  }
}
