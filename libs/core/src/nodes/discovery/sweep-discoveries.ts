import { PUT_OFF_MS } from '../../jobs/job-store.ts';
import type { Clock } from '../../vocabulary/clock.ts';
import type { DiscoveryQueue, DiscoveryStore } from './discovery.ts';

/** Queues every discovery whose time has come: whatever was lost in the queue is found here again. */
export class SweepDiscoveries {
  readonly #discoveries: DiscoveryStore;
  readonly #queue: DiscoveryQueue;
  readonly #clock: Clock;

  constructor(discoveries: DiscoveryStore, queue: DiscoveryQueue, clock: Clock) {
    this.#discoveries = discoveries;
    this.#queue = queue;
    this.#clock = clock;
  }

  async run(limit = 10): Promise<void> {
    const now = this.#clock.now();
    const due = await this.#discoveries.takeDue(now, new Date(now.getTime() + PUT_OFF_MS), limit);
    for (const { id } of due) await this.#queue.add(id);
  }
}
