import { JobFailedError, type Job } from '../jobs/job.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { printLogs, tellProgress } from './follow-job.ts';
import { span } from './measures.ts';
import type { Session } from './session.ts';
import { TimeoutError } from '../errors/bramble-error.ts';

export interface AwaitOptions {
  /** Print what the job writes meanwhile. */
  follow: boolean;
  timeoutMs?: number | undefined;
}

/**
 * Waits for the end of a job and makes its exit code ours. Ctrl-C ends the waiting, not the job.
 * @returns whether the job has completed
 */
export async function awaitEnd(session: Session, job: Job, options: AwaitOptions): Promise<boolean> {
  const interrupted = new AbortController();
  const forget = session.terminal.onInterrupt(() => interrupted.abort());
  try {
    await watch(session, job, options, interrupted.signal);
    await session.tell(`bramble: ${job.name} (${job.id}) completed${runTime(job)}`);
    return true;
  } catch (error) {
    if (interrupted.signal.aborted) {
      session.exitCode = EXIT.interrupted;
      await session.terminal.err(
        `\nbramble: the job goes on. Look at it again with "bramble logs -f ${job.id}", ` +
          `end it with "bramble cancel ${job.id}".\n`,
      );
      return false;
    }
    if (error instanceof TimeoutError) session.exitCode = EXIT.timedOut;
    else if (error instanceof JobFailedError) session.exitCode = exitCodeOf(job);
    else throw error;
    // The last lines have been printed already where the log was followed.
    const told = options.follow ? error.message.split('\n')[0] : error.message;
    await session.tell(`bramble: ${told ?? ''}`);
    return false;
  } finally {
    forget();
  }
}

async function watch(
  session: Session,
  job: Job,
  { follow, timeoutMs }: AwaitOptions,
  interrupted: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([interrupted, ended.signal]);
  const progress = tellProgress(session, job, signal).catch(() => {});
  try {
    if (follow) await printLogs(session, job, { streams: ['stdout', 'stderr'], follow, signal: interrupted });
    await job.wait({ signal: interrupted, timeoutMs });
  } finally {
    ended.abort();
    await progress;
  }
}

function runTime({ startedAt, endedAt }: Job): string {
  return startedAt === null || endedAt === null
    ? ''
    : ` after ${span(endedAt.getTime() - startedAt.getTime())}`;
}
