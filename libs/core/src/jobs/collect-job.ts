import type { Clock } from '../vocabulary/clock.ts';
import { finish, isShownAs, type Job, type SlurmEnd } from './job.ts';
import { decideOutcome } from './job-outcome.ts';
import type { JobStore } from './job-store.ts';
import type { ExitRecord, RunDirectories } from './run-directory.ts';
import type { SlurmController } from './slurm-controller.ts';
import type { NextLook } from './work-on-job.ts';

const RETRY_MS = 2_000;
/** How long an exit record may come late over NFS, whose clients cache directories for up to a minute. */
const RECORD_GRACE_MS = 65_000;
/** After this a record that cannot be read was spoilt by the job's own account: Slurm's word has to do. */
const UNREADABLE_GRACE_MS = 10 * 60_000;
const LAST_BYTES = 8 * 1024;
/** Of each stream. */
const LAST_LINES = 20;

/** Records how a job ended: exit status, outputs with their digests, and the last lines where it did not complete. */
export class CollectJob {
  readonly #jobs: JobStore;
  readonly #runs: RunDirectories;
  readonly #slurm: SlurmController;
  readonly #clock: Clock;

  constructor(jobs: JobStore, runs: RunDirectories, slurm: SlurmController, clock: Clock) {
    this.#jobs = jobs;
    this.#runs = runs;
    this.#slurm = slurm;
    this.#clock = clock;
  }

  async run(jobId: string): Promise<NextLook> {
    const job = await this.#jobs.find(jobId);
    if (job?.state !== 'collecting' || job.slurmEnd === null) return undefined;
    const askedAt = this.#clock.now();
    const record = await this.#runs.readExit(jobId);
    const sinceEndMs = askedAt.getTime() - (job.endedAt ?? job.createdAt).getTime();
    if (record.kind === 'unknown' && sinceEndMs < UNREADABLE_GRACE_MS) return { afterMs: RETRY_MS };
    if (record.kind === 'absent' && mayComeLate(job.slurmEnd) && sinceEndMs < RECORD_GRACE_MS)
      return { afterMs: RETRY_MS };
    const end = record.kind === 'present' ? job.slurmEnd : await this.#withSlurmStatus(job, job.slurmEnd);
    if (end === undefined) return { afterMs: RETRY_MS };

    const outcome = decideOutcome(
      end,
      record.kind === 'present' ? record.value : null,
      job.cancelRequestedAt !== null,
    );
    const outputs = await this.#runs.collectOutputs(job);
    const start = await this.#runs.readStart(jobId);
    const patch = finish(job, outcome.state, this.#clock.now(), {
      ...outcome,
      outputs: outputs.files,
      outputsTruncated: outputs.truncated,
      lastLines: outcome.state === 'completed' ? null : await this.#lastLines(jobId),
      startedAt: job.startedAt ?? (start.kind === 'present' ? new Date(start.value.startedAt * 1000) : null),
      endedAt: job.endedAt ?? this.#endOf(record.kind === 'present' ? record.value : null),
    });
    const changed = await this.#jobs.change(job, patch, this.#clock.now());
    return changed === undefined ? { afterMs: 0 } : undefined;
  }

  async #withSlurmStatus(job: Job, end: SlurmEnd): Promise<SlurmEnd | undefined> {
    if (job.slurm === null) return end;
    const detail = await this.#slurm.show(job.slurm.jobId);
    if (detail.kind === 'unknown') return undefined;
    if (detail.kind === 'absent' || !isShownAs(job, detail.value)) return end;
    return { ...end, exitCode: detail.value.exitCode, signal: detail.value.signal };
  }

  #endOf(record: ExitRecord | null): Date {
    return record === null ? this.#clock.now() : new Date(record.endedAt * 1000);
  }

  /** Of both streams: what a program says last on stdout often explains what then went wrong on stderr. */
  async #lastLines(jobId: string): Promise<string | null> {
    const tails = await Promise.all(
      (['stdout', 'stderr'] as const).map(async (stream) => {
        const text = await this.#runs.readLogTail(jobId, stream, LAST_BYTES);
        return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
      }),
    );
    return tails.filter((tail) => tail !== '').join('\n') || null;
  }
}

/** A program that ended by itself leaves a record; one that was killed, or never started, may have none. */
const mayComeLate = ({ state }: SlurmEnd): boolean => state === 'COMPLETED' || state === 'FAILED';
