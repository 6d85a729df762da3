import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import { Catalog } from '#core/services/catalog/catalog';
import { ManageServices } from '#core/services/manage-services';
import { RunServiceOperation } from '#core/services/run-service-operation';
import type { ServiceCluster } from '#core/services/service-cluster';
import { WatchServices } from '#core/services/watch-services';
import type { Platform } from '#infra/platform/platform';
import { serviceSiteOf } from '#infra/services/service-site-of';
import type { Duty } from '../leader/duty.ts';

const HOUR_MS = 60 * 60_000;

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});

/** What a worker does with operations on services. */
export function serviceRunner(
  platform: Platform,
  cluster: ServiceCluster | null,
  configuration: WorkerConfiguration,
): RunServiceOperation {
  const { operations, services, secrets, boards, clock } = platform;
  return new RunServiceOperation({
    ...{ operations, services, secrets, cluster, clock, pause, catalog: new Catalog() },
    site: serviceSiteOf(configuration, boards),
    boardPages: async () =>
      (await boards.list()).map(({ name, facts }) => ({
        name,
        pageSizeBytes: facts?.pageSizeBytes ?? null,
      })),
  });
}

/** What the leader does about services by itself; nothing without a cluster. */
export function serviceDuties(
  platform: Platform,
  cluster: ServiceCluster | null,
  configuration: WorkerConfiguration,
): Duty[] {
  if (cluster === null) return [];
  const { operations, services, secrets, boards, clock, ids, queues } = platform;
  const site = serviceSiteOf(configuration, boards);
  const watch = new WatchServices({
    ...{ services, operations, clock, helm: cluster.helm, objects: cluster.objects },
    manage: new ManageServices({
      ...{ services, operations, secrets, site, ids, clock },
      ...{ catalog: new Catalog(), queue: queues.operationQueue },
    }),
    checkEveryMs: configuration.BRAMBLE_SERVICE_CHECK_HOURS * HOUR_MS,
  });
  return [
    {
      name: 'services',
      pauseMs: configuration.BRAMBLE_SERVICE_INTERVAL_MS,
      round: () => watch.run(),
    },
  ];
}
