import type { Clock } from '../vocabulary/clock.ts';
import { changeJob } from './change-job.ts';
import type { Job } from './job.ts';
import { STATES_IN_SLURM } from './job-state.ts';
import type { JobStore } from './job-store.ts';
import type { SlurmController } from './slurm-controller.ts';
import type { NextLook } from './work-on-job.ts';

const RETRY_MS = 5_000;

/**
 * Passes a cancel request on to Slurm. That the job has ended is for the tracker to see: `scancel` only says that
 * Slurm has heard.
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
      return this.#leave(jobId, (current) => current.cancelRequestedAt === null);
    const account = await this.#slurm.account(job.account);
    if (account.kind !== 'present') return { afterMs: RETRY_MS };
    const heard = await this.#slurm.cancel(job.slurm.jobId, account.value);
    if (heard.kind === 'unknown') return { afterMs: RETRY_MS };
    return this.#leave(jobId, () => true);
  }

  /** From now on only Slurm can move the job. */
  async #leave(jobId: string, holds: (current: Job) => boolean): Promise<undefined> {
    await changeJob(this.#jobs, this.#clock, jobId, (current) =>
      STATES_IN_SLURM.includes(current.state) && current.lookAt !== null && holds(current)
        ? { lookAt: null }
        : undefined,
    );
  }
}
