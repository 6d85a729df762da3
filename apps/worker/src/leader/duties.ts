import { VerifyAccounts } from '#core/access/verify-accounts';
import type { SlurmInventory } from '#core/cluster/cluster';
import type { KubernetesNodes } from '#core/cluster/kubernetes-nodes';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import type { SlurmController } from '#core/jobs/slurm-controller';
import { SweepJobs } from '#core/jobs/sweep-jobs';
import { TrackJobs } from '#core/jobs/track-jobs';
import { slurmChanges } from '#core/nodes/inventory/slurm-changes';
import { resealSecrets } from '#core/nodes/reseal-secrets';
import { resealServices } from '#core/services/reseal-services';
import { SweepOperations } from '#core/nodes/sweep-operations';
import type { WorkerMetrics } from '#infra/observability/metrics';
import type { Platform } from '#infra/platform/platform';
import type { Duty } from './duty.ts';

export interface LeaderPorts {
  platform: Platform;
  slurm: SlurmController;
  inventory: SlurmInventory;
  /** Left out where no Kubernetes is configured. */
  kubernetes?: KubernetesNodes | undefined;
  metrics: WorkerMetrics;
}

const ACCOUNTS_PAUSE_MS = 1_000;
const SECRETS_PAUSE_MS = 10 * 60_000;
const STAGING_PAUSE_MS = 60 * 60_000;

/** What exactly one worker does for all: follow the jobs in Slurm, find what was lost, look at the cluster. */
export function leaderDuties(ports: LeaderPorts, configuration: WorkerConfiguration): Duty[] {
  const { platform, slurm, inventory, kubernetes, metrics } = ports;
  const { jobs, observations, clock, queues, storage, access } = platform;
  const tracker = new TrackJobs({
    jobs,
    slurm,
    runs: storage.runs,
    queue: queues.jobQueue,
    observations,
    clock,
  });
  const sweeper = new SweepJobs(jobs, queues.jobQueue, clock);
  const operations = new SweepOperations(platform.boards, queues.operationQueue, clock);
  const accounts = new VerifyAccounts(access, slurm, clock);
  let answeredAt = clock.now();
  return [
    {
      name: 'track',
      pauseMs: configuration.BRAMBLE_TRACK_INTERVAL_MS,
      round: async () => {
        const { followed, answer } = await tracker.run();
        if (answer !== 'unknown') answeredAt = clock.now();
        metrics.setTracking(followed, (clock.now().getTime() - answeredAt.getTime()) / 1000);
      },
    },
    {
      name: 'sweep',
      pauseMs: configuration.BRAMBLE_SWEEP_INTERVAL_MS,
      round: async () => {
        await sweeper.run();
        await operations.run();
      },
    },
    {
      name: 'inventory',
      pauseMs: configuration.BRAMBLE_INVENTORY_INTERVAL_MS,
      round: async () => {
        const askedAt = clock.now();
        const before = await observations.latest();
        const snapshot = await inventory.snapshot();
        for (const event of before === undefined
          ? []
          : slurmChanges(before.snapshot.nodes, snapshot.nodes, askedAt))
          await platform.nodeEvents.record(event);
        await observations.record(snapshot, askedAt);
      },
    },
    ...(kubernetes === undefined
      ? []
      : [
          {
            name: 'kubernetes',
            pauseMs: configuration.BRAMBLE_INVENTORY_INTERVAL_MS,
            round: async () => {
              const askedAt = clock.now();
              await observations.recordKubernetes(await kubernetes.list(), askedAt);
            },
          },
        ]),
    {
      name: 'accounts',
      pauseMs: ACCOUNTS_PAUSE_MS,
      round: async () => {
        await accounts.run();
      },
    },
    {
      name: 'staging',
      pauseMs: STAGING_PAUSE_MS,
      round: async () => {
        await storage.sweepStaging();
      },
    },
    {
      name: 'secrets',
      pauseMs: SECRETS_PAUSE_MS,
      round: async () => {
        await platform.managedKey();
        await resealSecrets(platform.boards, platform.secrets);
        await resealServices(platform.services, platform.secrets);
      },
    },
  ];
}
