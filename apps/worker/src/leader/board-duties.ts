import type { WorkerConfiguration } from '#core/configuration/configuration';
import { SweepDiscoveries } from '#core/nodes/discovery/sweep-discoveries';
import { CheckBoards } from '#core/nodes/inventory/check-boards';
import { SpreadHosts } from '#core/nodes/inventory/spread-hosts';
import { WatchHealth } from '#core/nodes/inventory/watch-health';
import { ManageBoards } from '#core/nodes/manage-boards';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import type { Logger } from '#infra/observability/logger';
import type { WorkerMetrics } from '#infra/observability/metrics';
import type { Platform } from '#infra/platform/platform';
import type { Duty } from './duty.ts';

export interface BoardDutyPorts {
  platform: Platform;
  metrics: WorkerMetrics;
  logger: Logger;
}

const LONGEST_HEALTH_PAUSE_MS = 1_000;
/** Between the beginnings of two checks, so that they are spread. */
const CHECK_PAUSE_MS = 60_000;
const HOSTS_PAUSE_MS = 5_000;
const RECORDS_PAUSE_MS = 60 * 60_000;
const DISCOVERIES_KEPT_MS = 7 * 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;

/** What the leader does about boards by itself: look how they are, check them, and forget what is old. */
export function boardDuties(
  { platform, metrics, logger }: BoardDutyPorts,
  configuration: WorkerConfiguration,
): Duty[] {
  const { boards, inventory, secrets, managedKey, clock, ids, queues, nodeEvents, discoveries } = platform;
  const intervalMs = configuration.BRAMBLE_BOARD_HEALTH_INTERVAL_MS;
  const health = new WatchHealth({
    ...{ boards, inventory, events: nodeEvents, connector: new SshBoardConnector() },
    ...{ secrets, managedKey, clock, intervalMs },
    onError: (error, board) => logger.error({ err: error, board }, 'A look at a board failed'),
  });
  const sweeper = new SweepDiscoveries(discoveries, queues.discoveryQueue, clock);
  const manage = new ManageBoards({
    ...{ boards, secrets, ids, clock, procedures: PROCEDURES, queue: queues.operationQueue },
  });
  const everyMs = configuration.BRAMBLE_BOARD_CHECK_HOURS * HOUR_MS;
  const checks = new CheckBoards({ inventory, manage, clock, everyMs });
  const hosts = new SpreadHosts({ inventory, manage, clock });
  return [
    {
      name: 'health',
      pauseMs: Math.min(LONGEST_HEALTH_PAUSE_MS, intervalMs / 10),
      round: async () => metrics.setBoards(await health.run()),
      end: () => health.stop(),
    },
    {
      name: 'discoveries',
      pauseMs: configuration.BRAMBLE_SWEEP_INTERVAL_MS,
      round: () => sweeper.run(),
    },
    {
      name: 'hosts',
      pauseMs: HOSTS_PAUSE_MS,
      round: async () => {
        await hosts.run();
      },
    },
    ...(everyMs === 0
      ? []
      : [
          {
            name: 'checks',
            pauseMs: CHECK_PAUSE_MS,
            round: async () => {
              await checks.run();
            },
          },
        ]),
    {
      name: 'records',
      pauseMs: RECORDS_PAUSE_MS,
      round: async () => {
        await nodeEvents.trim();
        await discoveries.removeOld(new Date(clock.now().getTime() - DISCOVERIES_KEPT_MS));
      },
    },
  ];
}
