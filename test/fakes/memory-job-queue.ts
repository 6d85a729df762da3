import type { JobQueue, JobWork } from '#core/jobs/job-store';

/** Keeps what was added; refuses it while `down`. */
export class MemoryJobQueue implements JobQueue {
  readonly added: [JobWork, string][] = [];
  down = false;

  async add(work: JobWork, jobId: string): Promise<void> {
    if (this.down) throw new Error('the queue cannot be reached');
    this.added.push([work, jobId]);
  }

  /** All that was added since the last time, in order. */
  take(): [JobWork, string][] {
    return this.added.splice(0);
  }
}
