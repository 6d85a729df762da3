import type { Page } from '../vocabulary/page.ts';
import type { Job, JobPatch, JobProgress } from './job.ts';
import type { JobEvent } from './job-event.ts';
import type { JobState } from './job-state.ts';

/**
 * How long a job that was queued, or is being worked on, is left alone by the sweeper. A worker that is still at it
 * puts the job off again; when its process dies that ends, and the queue gives the work to another.
 */
export const PUT_OFF_MS = 10_000;

/** What is known of a job before it is stored. */
export type NewJob = Pick<Job, 'id' | 'ownerId' | 'account' | 'name' | 'request' | 'script' | 'createdAt'> & {
  /** The caller's `Idempotency-Key`; unique for an owner, for ever. */
  idempotencyKey: string | null;
};

export interface JobFilter {
  /** Only jobs of this user. */
  ownerId?: string;
  states?: readonly JobState[];
  name?: string;
  labels?: Readonly<Record<string, string>>;
  createdAfter?: Date;
  createdBefore?: Date;
}

/** The jobs in the database, which is the truth about them. */
export interface JobStore {
  /**
   * Stores a job in state `accepted` together with its first event, in one transaction. It falls due by itself after
   * `PUT_OFF_MS`, should no worker have taken it by then.
   * @returns the stored job, or the older one where the owner has used the idempotency key before
   */
  insert(job: NewJob): Promise<{ job: Job; inserted: boolean }>;

  find(id: string): Promise<Job | undefined>;

  /** The job that the owner made with this `Idempotency-Key`. */
  findByIdempotencyKey(ownerId: string, key: string): Promise<Job | undefined>;

  /** Newest first. */
  list(filter: JobFilter, page: { limit: number; cursor?: string | undefined }): Promise<Page<Job>>;

  /**
   * Compare-and-set: applies the patch where the job still has the version that `job` has. A change of state or
   * reason, and a cancel request, write an event in the same transaction.
   * @returns the job as it is now, or undefined where somebody else changed it first
   */
  change<J extends JobProgress>(job: J, patch: JobPatch, at: Date): Promise<J | undefined>;

  /** Jobs whose `lookAt` has come, the longest waiting first. Each is put off, so that the next sweep passes it over. */
  takeDue(now: Date, putOffUntil: Date, limit: number): Promise<JobProgress[]>;

  /** Sets when an unfinished job is to be looked at again. Not a change: no version, no event. */
  putOff(id: string, until: Date): Promise<void>;

  /** Jobs that Slurm has, or may have: those in a state of Slurm's, and those with an attempt outstanding. */
  followed(): Promise<JobProgress[]>;

  /** Events of a job after `seq`, in order. */
  eventsAfter(jobId: string, seq: number, limit: number): Promise<JobEvent[]>;

  countByState(): Promise<Map<JobState, number>>;
}

/** Tells when a job has changed, at once or nearly so. Hints may be lost: listeners look again by themselves. */
export interface JobChanges {
  /** Calls `listener` after each change of the job, until the returned function is called. */
  subscribe(jobId: string, listener: () => void): () => void;
}

/** What there is for workers to do for a job. */
export const JOB_WORK = ['submit', 'cancel', 'collect'] as const;
export type JobWork = (typeof JOB_WORK)[number];

/** The way from "this job wants attention" to a worker. Delivery may be lost or doubled; the database tells. */
export interface JobQueue {
  /** @throws where the queue cannot be reached; the sweeper will find the job by its `lookAt` all the same */
  add(work: JobWork, jobId: string): Promise<void>;
}
