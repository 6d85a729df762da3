import { z } from 'zod';
import type { FinalJobState, JobState } from './job-state.ts';
import { isFinal, mayMove } from './job-state.ts';
import type { JobRequest } from './job-request.ts';
import type { SlurmJob } from './slurm-controller.ts';

/** Why a job is where it is: a stable code and a sentence for people. */
export const reasonSchema = z
  .object({
    code: z.string().describe("Stable code, in Slurm's spelling where it is Slurm's reason."),
    message: z.string().describe('The same in a sentence, with what would help.'),
  })
  .meta({ id: 'Reason' });
export type Reason = z.output<typeof reasonSchema>;

export const outputFileSchema = z
  .object({
    path: z.string().describe('Relative to the run directory.'),
    size: z.int().nonnegative().describe('Bytes.'),
    sha256: z.string().describe('Digest of the content, hexadecimal.'),
  })
  .meta({ id: 'OutputFile' });
export type OutputFile = z.output<typeof outputFileSchema>;

/** A job without what was asked for, which may be large: what those need who look after many jobs at once. */
export interface JobProgress {
  id: string;
  /** Grows by one with every change: what a compare-and-set compares. */
  version: number;
  ownerId: string;
  /** Unix account that the job runs as. */
  account: string;
  /** Its uid, as the cluster had it when sbatch was last called; null before. What proves that a job in Slurm is this one. */
  accountUid: number | null;
  name: string;
  state: JobState;
  reason: Reason | null;
  cancelRequestedAt: Date | null;
  /** How often sbatch has been called for this job. */
  submitAttempts: number;
  /** When the attempt began whose outcome is not known yet. */
  submitIntentAt: Date | null;
  slurm: SlurmReference | null;
  /** What Slurm said at the end, until `collecting` is done with it. */
  slurmEnd: SlurmEnd | null;
  exitCode: number | null;
  signal: number | null;
  outputs: OutputFile[] | null;
  /** Whether more files matched than `outputs` holds. */
  outputsTruncated: boolean;
  /** The last lines that the program wrote, kept where the job did not complete. */
  lastLines: string | null;
  createdAt: Date;
  submittedAt: Date | null;
  startedAt: Date | null;
  endedAt: Date | null;
  /** When a worker should look at the job again; null where nothing but Slurm can move it. */
  lookAt: Date | null;
}

/** A job as the database holds it. */
export interface Job extends JobProgress {
  request: JobRequest;
  /** What is handed to sbatch, to the letter. */
  script: string;
}

/** Identity in Slurm is the id with the submit time: ids wrap and are used again. */
export interface SlurmReference {
  cluster: string;
  jobId: number;
  submitTime: Date | null;
  nodeList: string;
}

export interface SlurmEnd {
  /** Slurm's own state, such as `TIMEOUT`; null where Slurm has forgotten the job and this is from the exit record. */
  state: string | null;
  reason: string;
  exitCode: number | null;
  signal: number | null;
}

/** Fields of a job that may change after it was made. */
export type JobPatch = Partial<
  Omit<JobProgress, 'id' | 'version' | 'ownerId' | 'account' | 'name' | 'createdAt'>
>;

/**
 * The patch that moves a job to another state.
 * @throws Error where the table of states does not have this move: a defect, never the caller's fault
 */
export function moveTo(job: JobProgress, to: JobState, patch: JobPatch = {}): JobPatch {
  if (!mayMove(job.state, to)) throw new Error(`a job may not move from ${job.state} to ${to}`);
  return { reason: null, ...patch, state: to };
}

export function finish(job: JobProgress, to: FinalJobState, now: Date, patch: JobPatch = {}): JobPatch {
  return moveTo(job, to, {
    lookAt: null,
    submitIntentAt: null,
    slurmEnd: null,
    endedAt: job.endedAt ?? now,
    ...patch,
  });
}

/** Whether a job that Slurm shows is this one. Anybody can write a comment, so its account has to be right as well. */
export const isShownAs = (job: JobProgress, row: Pick<SlurmJob, 'comment' | 'userId'>): boolean =>
  row.comment === job.id && row.userId === job.accountUid;

/** Whether a cancel request can still change what happens to the job. */
export const canBeCancelled = (job: JobProgress): boolean =>
  !isFinal(job.state) && job.state !== 'collecting';
