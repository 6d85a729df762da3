import type { Clock } from '../vocabulary/clock.ts';
import { changeJob } from './change-job.ts';
import { isShownAs, type Job } from './job.ts';
import { STATES_IN_SLURM } from './job-state.ts';
import type { JobStore } from './job-store.ts';
import type { SlurmController } from './slurm-controller.ts';
import type { NextLook } from './work-on-job.ts';

const RETRY_MS = 5_000;
/** Longer than Slurm's own `KillWait` (30 s by default) lets a program take to end. */
const STILL_THERE_AFTER_MS = 60_000;

/**
 * Passes a cancel request on to Slurm, for every copy of the job that Slurm may hold, and again where the job is
 * still there a minute later. That it has ended is for the tracker to see: `scancel` only says that Slurm has heard.
 */
export class CancelInSlurm {
  readonly #jobs: JobStore;
  readonly #slurm: SlurmController;
  readonly #clock: Clock;

  constructor(jobs: JobStore, slurm: SlurmController, clock: Clock) {
    this.#jobs = jobs;
    this.#slurm = slurm;
    this.#clock = clock;
  }

  async run(jobId: string): Promise<NextLook> {
    const job = await this.#jobs.find(jobId);
    if (job === undefined || job.slurm === null || !STATES_IN_SLURM.includes(job.state)) return undefined;
    if (job.cancelRequestedAt === null)
      return this.#lookAt(null, jobId, (current) => current.cancelRequestedAt === null);
    const account = await this.#slurm.account(job.account);
    if (account.kind !== 'present') return { afterMs: RETRY_MS };
    const listed = await this.#slurm.list();
    if (listed.kind !== 'present') return { afterMs: RETRY_MS };
    const copies = listed.value.filter((shown) => isShownAs(job, shown)).map(({ id }) => id);
    for (const id of new Set([job.slurm.jobId, ...copies])) {
      const heard = await this.#slurm.cancel(id, account.value);
      if (heard.kind === 'unknown') return { afterMs: RETRY_MS };
    }
    return this.#lookAt(new Date(this.#clock.now().getTime() + STILL_THERE_AFTER_MS), jobId, () => true);
  }

  /** Says when to come again, unless the tracker has moved the job on: then it is another worker's. */
  async #lookAt(lookAt: Date | null, jobId: string, holds: (current: Job) => boolean): Promise<undefined> {
    await changeJob(this.#jobs, this.#clock, jobId, (current) =>
      STATES_IN_SLURM.includes(current.state) &&
      current.lookAt?.getTime() !== lookAt?.getTime() &&
      holds(current)
        ? { lookAt }
        : undefined,
    );
  }
}
