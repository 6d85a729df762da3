import { z } from 'zod';
import type { Answer } from '../vocabulary/answer.ts';
import type { Job, OutputFile } from './job.ts';
import type { UnixAccount } from './slurm-controller.ts';

/** What the batch script leaves when it ends. */
export const exitRecordSchema = z.object({
  slurmJobId: z.int(),
  phase: z.enum(['compile', 'run']),
  /** As a shell reports it: 128 + n for signal n. */
  status: z.int().min(0).max(255),
  endedAt: z.int(),
});
export type ExitRecord = z.output<typeof exitRecordSchema>;

export const startRecordSchema = z.object({ slurmJobId: z.int(), startedAt: z.int() });
export type StartRecord = z.output<typeof startRecordSchema>;

export type LogStream = 'stdout' | 'stderr';

/** A file to be put into a run directory. */
export interface StagedFile {
  path: string;
  /** Permission bits. */
  mode: number;
  source: { text: string } | { sha256: string };
}

/** The run directories on the shared storage, as a worker uses them. */
export interface RunDirectories {
  /** The run directory as the nodes of the cluster see it. */
  clusterPath(jobId: string): string;

  /**
   * Makes the run directory with its files, owned by the account; all of it or nothing. Made already: does nothing.
   * @throws Problem where an artifact is gone
   */
  stage(jobId: string, files: readonly StagedFile[], account: UnixAccount): Promise<void>;

  /** The Slurm job that holds the claim. */
  readClaim(jobId: string): Promise<Answer<number>>;
  readStart(jobId: string): Promise<Answer<StartRecord>>;
  readExit(jobId: string): Promise<Answer<ExitRecord>>;

  /** Files below the run directory that match any of the patterns, with their digests, in order of path. */
  collectOutputs(job: Job): Promise<{ files: OutputFile[]; truncated: boolean }>;

  /** The last part of a log, whole lines as far as possible; empty where there is none. */
  readLogTail(jobId: string, stream: LogStream, maximumBytes: number): Promise<string>;
}
