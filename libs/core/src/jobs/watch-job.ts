import type { Job } from './job.ts';
import type { JobEvent } from './job-event.ts';
import { isFinal } from './job-state.ts';
import type { JobChanges, JobStore } from './job-store.ts';

export interface WatchJobPorts {
  jobs: JobStore;
  changes: JobChanges;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long a watcher trusts that it would have been told of a change. */
const LOOK_AGAIN_MS = 5_000;

/** Events of a job after `seq`, those to come too, until the job has ended and its last event is told. */
export async function* watchJobEvents(
  { jobs, changes, pause }: WatchJobPorts,
  jobId: string,
  options: { afterSeq: number; signal: AbortSignal },
): AsyncGenerator<JobEvent> {
  const hint = hints(changes, jobId, options.signal);
  try {
    let { afterSeq } = options;
    while (!options.signal.aborted) {
      const job = await jobs.find(jobId);
      const events = await jobs.eventsAfter(jobId, afterSeq, 500);
      for (const event of events) {
        yield event;
        afterSeq = event.seq;
      }
      if (events.length > 0) continue;
      if (job === undefined || isFinal(job.state)) return;
      await hint.next(LOOK_AGAIN_MS, pause);
    }
  } finally {
    hint.stop();
  }
}

/** What a caller may wait for. */
export type WaitUntil = 'running' | 'finished';

const reached = (job: Job, until: WaitUntil): boolean =>
  isFinal(job.state) || (until === 'running' && (job.state === 'running' || job.state === 'collecting'));

/** Holds until the job is running or finished, or the time is over; answers the job as it is then. */
export async function waitForJob(
  { jobs, changes, pause }: WatchJobPorts,
  job: Job,
  options: { until: WaitUntil; timeoutMs: number; now: () => number; signal: AbortSignal },
): Promise<Job> {
  const deadline = options.now() + options.timeoutMs;
  const hint = hints(changes, job.id, options.signal);
  try {
    let current = job;
    while (!reached(current, options.until) && !options.signal.aborted) {
      const left = deadline - options.now();
      if (left <= 0) break;
      await hint.next(Math.min(left, LOOK_AGAIN_MS), pause);
      current = (await jobs.find(job.id)) ?? current;
    }
    return current;
  } finally {
    hint.stop();
  }
}

/** Hints about one job: a hint that comes while nobody waits is kept for the next wait. */
function hints(changes: JobChanges, jobId: string, signal: AbortSignal) {
  let pending = true;
  let wake: (() => void) | undefined;
  const hinted = () => {
    pending = true;
    wake?.();
  };
  const unsubscribe = changes.subscribe(jobId, hinted);
  return {
    stop: unsubscribe,
    async next(ms: number, pause: WatchJobPorts['pause']): Promise<void> {
      if (!pending) {
        const woken = new AbortController();
        wake = () => woken.abort();
        await pause(ms, AbortSignal.any([signal, woken.signal]));
        wake = undefined;
      }
      pending = false;
    },
  };
}
