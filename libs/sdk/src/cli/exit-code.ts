import type { Job } from '../jobs/job.ts';

export const EXIT = { success: 0, failure: 1, usage: 2, timedOut: 124, interrupted: 130 } as const;

/**
 * What a shell would say of the job: its exit code, 128 + n for signal n, 124 for a time limit (as of timeout(1)), and
 * 1 where it failed without a code.
 */
export function exitCodeOf({ state, exitCode, signal }: Pick<Job, 'state' | 'exitCode' | 'signal'>): number {
  if (state === 'completed') return EXIT.success;
  if (state === 'timed_out') return EXIT.timedOut;
  if (signal !== null) return 128 + signal;
  return exitCode === null || exitCode === 0 ? EXIT.failure : exitCode;
}
