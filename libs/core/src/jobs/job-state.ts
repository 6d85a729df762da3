import { z } from 'zod';

/**
 * The life of a job:
 *
 * - `accepted`: recorded; nothing has been done yet
 * - `staging`: its run directory is being made
 * - `submitting`: it is being handed to Slurm; whether Slurm has it may be unclear for a while
 * - `queued`: Slurm has it and it waits
 * - `running`: it has an allocation
 * - `collecting`: it has ended; its exit status and outputs are being recorded
 * - the rest are final
 */
export const JOB_STATES = [
  'accepted',
  'staging',
  'submitting',
  'queued',
  'running',
  'collecting',
  'completed',
  'failed',
  'cancelled',
  'timed_out',
  'out_of_memory',
  'node_failed',
] as const;

export type JobState = (typeof JOB_STATES)[number];
export const jobStateSchema = z.enum(JOB_STATES);

/** States that nothing leaves. Each is entered on positive evidence only. */
export const FINAL_STATES = [
  'completed',
  'failed',
  'cancelled',
  'timed_out',
  'out_of_memory',
  'node_failed',
] as const;
export type FinalJobState = (typeof FINAL_STATES)[number];

/**
 * Who may move where. `submitting` and `queued` may fall back to one another: Slurm can lose a waiting job, and a
 * requeued job waits again.
 */
const TRANSITIONS: Record<JobState, readonly JobState[]> = {
  accepted: ['staging', 'failed', 'cancelled'],
  staging: ['submitting', 'failed', 'cancelled'],
  submitting: ['queued', 'running', 'collecting', 'failed', 'cancelled'],
  queued: ['running', 'collecting', 'submitting', 'failed'],
  running: ['queued', 'collecting'],
  collecting: FINAL_STATES,
  completed: [],
  failed: [],
  cancelled: [],
  timed_out: [],
  out_of_memory: [],
  node_failed: [],
};

export function mayMove(from: JobState, to: JobState): boolean {
  return TRANSITIONS[from].includes(to);
}

export function isFinal(state: JobState): state is FinalJobState {
  return TRANSITIONS[state].length === 0;
}

export const UNFINISHED_STATES: readonly JobState[] = JOB_STATES.filter((state) => !isFinal(state));

/** States in which Slurm has the job, as far as is known. */
export const STATES_IN_SLURM: readonly JobState[] = ['queued', 'running'];
