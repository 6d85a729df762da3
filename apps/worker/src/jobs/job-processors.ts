import { type JobStore, type JobWork, PUT_OFF_MS } from '#core/jobs/job-store';
import type { WorkOnJob } from '#core/jobs/work-on-job';
import type { Clock } from '#core/vocabulary/clock';

export interface JobProcessorPorts {
  work: WorkOnJob;
  jobs: JobStore;
  clock: Clock;
}

/**
 * What a worker does with an entry of a queue. While it is at it, the job is put off again and again, so that the
 * sweeper gives it to nobody else; when this process dies, that ends, and somebody else takes over.
 */
export function jobProcessor({ work, jobs, clock }: JobProcessorPorts, kind: JobWork) {
  return async ({ jobId }: { jobId: string }): Promise<void> => {
    const stillAtIt = setInterval(() => {
      jobs.putOff(jobId, new Date(clock.now().getTime() + PUT_OFF_MS)).catch(() => {});
    }, PUT_OFF_MS / 2);
    try {
      await work.run(kind, jobId);
    } finally {
      clearInterval(stillAtIt);
    }
  };
}
