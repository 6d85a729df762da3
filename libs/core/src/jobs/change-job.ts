import type { Clock } from '../vocabulary/clock.ts';
import type { Job, JobPatch } from './job.ts';
import type { JobStore } from './job-store.ts';

/**
 * Applies a change to the job as it is now, however often somebody else changes it in between.
 * @param decide the patch for the job as it stands, or undefined where nothing is to be done any more
 * @returns the job afterwards; undefined where it is not there
 */
export async function changeJob(
  jobs: JobStore,
  clock: Clock,
  id: string,
  decide: (job: Job) => JobPatch | undefined,
): Promise<Job | undefined> {
  for (;;) {
    const job = await jobs.find(id);
    if (job === undefined) return undefined;
    const patch = decide(job);
    if (patch === undefined) return job;
    const changed = await jobs.change(job, patch, clock.now());
    if (changed !== undefined) return changed;
  }
}
