import type { Answer, Present, Unknown } from '../vocabulary/answer.ts';

/** A job as `squeue` shows it. */
export interface SlurmJob {
  id: number;
  /** Slurm's state in full, such as `PENDING` or `OUT_OF_MEMORY`. */
  state: string;
  reason: string;
  /** The comment: Bramble's job id, in jobs of Bramble's. */
  comment: string;
  userId: number;
  nodeList: string;
  submitTime: Date;
  startTime: Date | null;
  endTime: Date | null;
}

/** What `scontrol show job` adds. */
export interface SlurmJobDetail extends SlurmJob {
  exitCode: number;
  signal: number;
}

export interface Submission {
  /** The batch script, with its `#SBATCH` lines. */
  script: string;
  account: UnixAccount;
}

/** A Unix account of the cluster. */
export interface UnixAccount {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

export type SubmitOutcome =
  | { kind: 'submitted'; slurmJobId: number; cluster: string | null }
  /** Slurm refused, and always will. */
  | { kind: 'refused'; code: string; message: string }
  /** Slurm took nothing, and may later: a limit was reached, or the controller could not be reached at all. */
  | { kind: 'later'; code: string; message: string }
  /** It is not known whether Slurm has the job. */
  | { kind: 'unclear'; because: string };

/** What Slurm says of itself. */
export interface SlurmSettings {
  /** Name of the cluster, for identity. */
  cluster: string;
  /** No call of `submit` has any effect later than this after its start. */
  submitCertaintyMs: number;
  /** How long Slurm remembers a job that has ended: `MinJobAge`. */
  forgetsAfterMs: number;
}

/** Slurm's controller, whatever the way to it. */
export interface SlurmController {
  /** Asked of Slurm until it has answered once, and answered at once from then on. */
  settings(): Promise<Present<SlurmSettings> | Unknown>;
  /** Hands nothing over, and answers `later`, before `settings` has been answered. */
  submit(submission: Submission): Promise<SubmitOutcome>;
  /** All jobs that Slurm remembers, finished ones included. Never `absent`. */
  list(): Promise<Answer<SlurmJob[]>>;
  show(slurmJobId: number): Promise<Answer<SlurmJobDetail>>;
  /** Asks Slurm to cancel. `absent` where Slurm has no such job, or it has ended. */
  cancel(slurmJobId: number, account: UnixAccount): Promise<Answer<true>>;
  account(name: string): Promise<Answer<UnixAccount>>;
}
