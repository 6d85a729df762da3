import { PUT_OFF_MS } from '../jobs/job-store.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { BoardStore } from './board-store.ts';
import type { OperationQueue } from '../operations/operation-queue.ts';

const OPERATIONS_KEPT_MS = 90 * 24 * 60 * 60_000;
/** Of each node, whatever their age. */
const OPERATIONS_KEPT = 50;

/** How long a plan can be read. */
const PLANS_KEPT_MS = 60 * 60_000;

/** Queues every operation whose time to be looked at has come: whatever was lost in the queue is found here again.
 * Plans of an hour ago are forgotten, and what was done three months ago. */
export class SweepOperations {
  readonly #boards: BoardStore;
  readonly #queue: OperationQueue;
  readonly #clock: Clock;

  constructor(boards: BoardStore, queue: OperationQueue, clock: Clock) {
    this.#boards = boards;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** @returns how many were queued */
  async run(limit = 100): Promise<number> {
    const now = this.#clock.now();
    const due = await this.#boards.takeDueOperations(now, new Date(now.getTime() + PUT_OFF_MS), limit);
    for (const { id } of due) await this.#queue.add(id);
    const planned = new Date(now.getTime() - PLANS_KEPT_MS);
    await this.#boards.removeTrials(planned);
    await this.#boards.removePlans(planned);
    await this.#boards.removeOperations(new Date(now.getTime() - OPERATIONS_KEPT_MS), OPERATIONS_KEPT);
    return due.length;
  }
}
