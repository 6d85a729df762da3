import { type Caller, maySee } from '../access/caller.ts';
import { notFound } from '../vocabulary/problem.ts';
import type { Job } from './job.ts';
import type { JobStore } from './job-store.ts';

/** @throws Problem `not_found`, also for a job of somebody else's */
export async function findVisibleJob(jobs: JobStore, caller: Caller, id: string): Promise<Job> {
  const job = await jobs.find(id);
  if (job === undefined || !maySee(caller, job.ownerId)) throw notFound('job', id);
  return job;
}
