import { PUT_OFF_MS } from '#core/jobs/job-store';
import type { RunDiscovery } from '#core/nodes/discovery/run-discovery';

/**
 * What a worker does with an entry of the queue of discoveries. While it is at it, the discovery is put off again and
 * again, so that the sweeper gives it to nobody else; when this process dies, somebody else takes over.
 */
export function discoveryProcessor(discoveries: RunDiscovery) {
  return async ({ discoveryId }: { discoveryId: string }): Promise<void> => {
    await discoveries.putOff(discoveryId);
    const stillAtIt = setInterval(() => {
      discoveries.putOff(discoveryId).catch(() => {});
    }, PUT_OFF_MS / 2);
    try {
      await discoveries.run(discoveryId);
    } finally {
      clearInterval(stillAtIt);
    }
  };
}
