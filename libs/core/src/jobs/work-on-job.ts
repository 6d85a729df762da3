import type { Clock } from '../vocabulary/clock.ts';
import type { JobStore, JobWork } from './job-store.ts';

/** When to look at the job again; undefined where nothing is left to do. */
export type NextLook = { afterMs: number } | undefined;

/** One kind of work on a job. It may be run at any time, any number of times, and by several workers at once. */
export interface JobWorker {
  run(jobId: string): Promise<NextLook>;
}

/** Does a piece of work on a job, and sees to it that what is not finished is looked at again. */
export class WorkOnJob {
  readonly #workers: Record<JobWork, JobWorker>;
  readonly #jobs: JobStore;
  readonly #clock: Clock;

  constructor(workers: Record<JobWork, JobWorker>, jobs: JobStore, clock: Clock) {
    this.#workers = workers;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  async run(work: JobWork, jobId: string): Promise<void> {
    const next = await this.#workers[work].run(jobId);
    if (next === undefined) return;
    await this.#jobs.putOff(jobId, new Date(this.#clock.now().getTime() + next.afterMs));
  }
}
