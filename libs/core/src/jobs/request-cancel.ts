import type { Caller } from '../access/caller.ts';
import type { Clock } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import { canBeCancelled, type Job } from './job.ts';
import { STATES_IN_SLURM } from './job-state.ts';
import { type JobQueue, type JobStore, PUT_OFF_MS } from './job-store.ts';
import { findVisibleJob } from './read-jobs.ts';

/** Records that a job is to be cancelled; a worker sees to it. Asking twice is asking once. */
export class RequestCancel {
  readonly #jobs: JobStore;
  readonly #queue: JobQueue;
  readonly #clock: Clock;

  constructor(jobs: JobStore, queue: JobQueue, clock: Clock) {
    this.#jobs = jobs;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** @throws Problem `not_found`, or `job_finished` where there is nothing left to cancel */
  async run(caller: Caller, id: string): Promise<Job> {
    for (;;) {
      const job = await findVisibleJob(this.#jobs, caller, id);
      if (job.ownerId !== caller.userId && !caller.permissions.has('jobs:write:all'))
        throw notFound('job', id);
      if (job.cancelRequestedAt !== null) return job;
      if (!canBeCancelled(job)) {
        throw new Problem('job_finished', `Job "${id}" has ended already: it is ${job.state}.`);
      }
      const now = this.#clock.now();
      const changed = await this.#jobs.change(
        job,
        { cancelRequestedAt: now, lookAt: new Date(now.getTime() + PUT_OFF_MS) },
        now,
      );
      if (changed === undefined) continue;
      const work = STATES_IN_SLURM.includes(changed.state) ? 'cancel' : 'submit';
      await this.#queue.add(work, id).catch(() => {});
      return changed;
    }
  }
}
