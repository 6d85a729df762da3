import type { Clock } from '../vocabulary/clock.ts';
import type { JobProgress } from './job.ts';
import type { JobState } from './job-state.ts';
import { type JobQueue, type JobStore, type JobWork, PUT_OFF_MS } from './job-store.ts';

const WORK: Partial<Record<JobState, JobWork>> = {
  accepted: 'submit',
  staging: 'submit',
  submitting: 'submit',
  queued: 'cancel',
  running: 'cancel',
  collecting: 'collect',
};

/** What a worker has to do for a job whose `lookAt` has come. */
export const workFor = (job: JobProgress): JobWork | undefined => WORK[job.state];

/**
 * Queues every job whose time to be looked at has come. This is what makes the queue expendable: whatever was lost
 * there is found here again.
 */
export class SweepJobs {
  readonly #jobs: JobStore;
  readonly #queue: JobQueue;
  readonly #clock: Clock;

  constructor(jobs: JobStore, queue: JobQueue, clock: Clock) {
    this.#jobs = jobs;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** @returns how many jobs were queued */
  async run(limit = 500): Promise<number> {
    const now = this.#clock.now();
    const due = await this.#jobs.takeDue(now, new Date(now.getTime() + PUT_OFF_MS), limit);
    let queued = 0;
    for (const job of due) {
      const work = workFor(job);
      if (work === undefined) continue;
      await this.#queue.add(work, job.id);
      queued += 1;
    }
    return queued;
  }
}
