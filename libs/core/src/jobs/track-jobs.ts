import type { ClusterObservations } from '../cluster/cluster.ts';
import type { Clock } from '../vocabulary/clock.ts';
import { finish, isShownAs, type JobPatch, type JobProgress, moveTo, type SlurmReference } from './job.ts';
import { NOT_STARTED, readRecord } from './job-outcome.ts';
import { type JobQueue, type JobStore, PUT_OFF_MS } from './job-store.ts';
import type { ExitRecord, RunDirectories } from './run-directory.ts';
import type { SlurmController, SlurmJob, SlurmSettings } from './slurm-controller.ts';
import { slurmPhase } from './slurm-state.ts';
import { waitingReason } from './waiting-reason.ts';

export interface TrackJobsPorts {
  jobs: JobStore;
  slurm: SlurmController;
  runs: RunDirectories;
  queue: JobQueue;
  observations: ClusterObservations;
  clock: Clock;
}

/** How long a started job may be missing everywhere before it is given up: NFS may show its exit record late. */
const MISSING_GRACE_MS = 30_000;
/**
 * A slurmctld that is killed has forgotten what ended in the seconds before, and shows such jobs as running until their nodes
 * register again: with the usual SlurmdTimeout of 300 s, half an hour later. So the exit records of jobs that run are looked for
 * every so often, and one that is as old as this tells the end by itself.
 * https://github.com/SchedMD/slurm/blob/slurm-22-05-11-1/src/slurmctld/ping_nodes.c
 */
const UNNOTICED_AFTER_MS = 60_000;
const RECORD_SOUGHT_EVERY_MS = 30_000;
/** How long a claim may come late over NFS, whose clients cache directories for up to a minute. */
const CLAIM_GRACE_MS = 65_000;

/**
 * Follows all jobs with one question to Slurm a round, however many jobs and clients there are. A job that Slurm does
 * not show is not thereby ended: the exit record, Slurm's record of the job and the claim are asked in this order.
 */
export class TrackJobs {
  readonly #ports: TrackJobsPorts;
  readonly #missingSince = new Map<string, Date>();
  readonly #recordSoughtAt = new Map<string, Date>();

  constructor(ports: TrackJobsPorts) {
    this.#ports = ports;
  }

  /**
   * @returns how many jobs are followed; `unknown` where Slurm gave no answer
   * @throws AggregateError where jobs could not be followed, after all others were
   */
  async run(): Promise<{ followed: number; answer: 'present' | 'unknown' | 'not asked' }> {
    const { jobs, slurm, observations, clock } = this.#ports;
    const followed = await jobs.followed();
    this.#forgetOthers(followed);
    if (followed.length === 0) return { followed: 0, answer: 'not asked' };
    const settings = await slurm.settings();
    if (settings.kind === 'unknown') return { followed: followed.length, answer: 'unknown' };
    const previousAnswerAt = await observations.trackedAt();
    const askedAt = clock.now();
    const listed = await slurm.list();
    if (listed.kind !== 'present') return { followed: followed.length, answer: 'unknown' };

    const byComment = Map.groupBy(listed.value, (row) => row.comment);
    const failures: unknown[] = [];
    for (const job of followed) {
      const copies = (byComment.get(job.id) ?? []).filter((shown) => isShownAs(job, shown));
      const row = copies.find(({ id }) => id === job.slurm?.jobId) ?? copies[0];
      try {
        if (row === undefined) await this.#missing(job, previousAnswerAt, settings.value);
        else await this.#follow(job, row, settings.value);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} jobs could not be followed`);
    await observations.recordTracking(askedAt);
    return { followed: followed.length, answer: 'present' };
  }

  async #follow(seen: JobProgress, row: SlurmJob, settings: SlurmSettings): Promise<void> {
    this.#missingSince.delete(seen.id);
    const job =
      seen.state === 'submitting' ? await this.#change(seen, this.#adopted(seen, row, settings)) : seen;
    if (job === undefined) return;
    switch (slurmPhase(row.state)) {
      case 'waiting':
        return this.#waits(job, row);
      case 'running':
        return this.#runs(job, row);
      case 'ended':
        return this.#ended(job, row, settings);
      case 'ending':
      case undefined:
        return;
    }
  }

  #adopted(job: JobProgress, row: SlurmJob, { cluster }: SlurmSettings): JobPatch {
    return {
      ...moveTo(job, 'queued'),
      slurm: { cluster, jobId: row.id, submitTime: row.submitTime, nodeList: row.nodeList },
      submittedAt: row.submitTime,
      submitIntentAt: null,
      lookAt: job.cancelRequestedAt === null ? null : this.#ports.clock.now(),
    };
  }

  async #waits(job: JobProgress, row: SlurmJob): Promise<void> {
    const reason = waitingReason(row.reason);
    if (job.state === 'running') {
      await this.#change(job, {
        ...moveTo(job, 'queued'),
        reason,
        startedAt: null,
        slurm: reference(job, row),
      });
    } else if (job.reason?.message !== reason?.message || job.slurm?.submitTime === null) {
      await this.#change(job, { reason, slurm: reference(job, row) });
    }
  }

  async #runs(job: JobProgress, row: SlurmJob): Promise<void> {
    const patch = { slurm: reference(job, row), startedAt: row.startTime };
    if (job.state === 'queued') await this.#change(job, moveTo(job, 'running', patch));
    else if (job.slurm?.nodeList !== row.nodeList) await this.#change(job, patch);
    else await this.#endedUnnoticed(job);
  }

  async #endedUnnoticed(job: JobProgress): Promise<void> {
    const now = this.#ports.clock.now();
    const soughtAt = this.#recordSoughtAt.get(job.id);
    if (soughtAt !== undefined && now.getTime() - soughtAt.getTime() < RECORD_SOUGHT_EVERY_MS) return;
    this.#recordSoughtAt.set(job.id, now);
    // A job that ends within half a minute costs no look.
    if (soughtAt === undefined) return;
    const record = await this.#ports.runs.readExit(job.id);
    if (record.kind !== 'present' || now.getTime() - record.value.endedAt * 1000 < UNNOTICED_AFTER_MS) return;
    await this.#collectByRecord(job, record.value);
  }

  async #ended(job: JobProgress, row: SlurmJob, settings: SlurmSettings): Promise<void> {
    const claim = await this.#ports.runs.readClaim(job.id);
    if (claim.kind === 'unknown' && !this.#endedLongAgo(row, settings)) return;
    if (claim.kind === 'present' && claim.value !== row.id) {
      // This is a second copy, which did nothing: the claim names the one that does the work.
      if (job.slurm?.jobId !== claim.value) {
        await this.#change(job, { slurm: { ...reference(job, row), jobId: claim.value, submitTime: null } });
      } else await this.#missing(job, this.#ports.clock.now(), settings);
      return;
    }
    const neverBegan = claim.kind === 'absent' && wasGivenUp(job, row);
    if (neverBegan && !this.#endedBefore(row, CLAIM_GRACE_MS) && !this.#endedLongAgo(row, settings)) return;
    await this.#collect(job, {
      slurm: reference(job, row),
      // Slurm shows a job as running from its allocation on.
      startedAt: neverBegan ? null : (job.startedAt ?? (claim.kind === 'present' ? row.startTime : null)),
      endedAt: row.endTime,
      slurmEnd: {
        ...{ state: neverBegan ? NOT_STARTED : row.state, reason: row.reason },
        ...{ exitCode: null, signal: null },
      },
    });
  }

  /** A claim that still cannot be read then was spoilt by the job's own account, and Slurm is about to forget the job. */
  #endedLongAgo(row: SlurmJob, { forgetsAfterMs }: SlurmSettings): boolean {
    return this.#endedBefore(row, forgetsAfterMs / 2);
  }

  #endedBefore({ endTime }: SlurmJob, agoMs: number): boolean {
    return endTime !== null && this.#ports.clock.now().getTime() - endTime.getTime() > agoMs;
  }

  async #collect(job: JobProgress, patch: JobPatch): Promise<void> {
    const lookAt = new Date(this.#ports.clock.now().getTime() + PUT_OFF_MS);
    const changed = await this.#change(job, moveTo(job, 'collecting', { ...patch, lookAt }));
    if (changed !== undefined) await this.#ports.queue.add('collect', job.id).catch(() => {});
  }

  async #collectByRecord(job: JobProgress, record: ExitRecord): Promise<void> {
    await this.#collect(job, {
      endedAt: new Date(record.endedAt * 1000),
      ...(job.slurm !== null && { slurm: { ...job.slurm, jobId: record.slurmJobId } }),
      slurmEnd: { state: null, reason: '', ...readRecord(record) },
    });
  }

  async #missing(job: JobProgress, previousAnswerAt: Date | null, settings: SlurmSettings): Promise<void> {
    const { runs, slurm, clock } = this.#ports;
    if (job.slurm === null) return;
    const record = await runs.readExit(job.id);
    if (record.kind === 'unknown') return;
    if (record.kind === 'present') return this.#collectByRecord(job, record.value);
    const detail = await slurm.show(job.slurm.jobId);
    if (detail.kind === 'unknown') return;
    if (detail.kind === 'present' && isShownAs(job, detail.value)) {
      if (slurmPhase(detail.value.state) === 'ended') await this.#ended(job, detail.value, settings);
      return;
    }
    const claim = await runs.readClaim(job.id);
    if (claim.kind === 'unknown') return;
    if (claim.kind === 'present') return this.#giveUpLater(job);
    if (job.cancelRequestedAt !== null) {
      await this.#collect(job, {
        slurmEnd: { state: 'CANCELLED', reason: '', exitCode: null, signal: null },
      });
      return;
    }
    if (job.state === 'running') return this.#giveUpLater(job);
    const unseenMs = clock.now().getTime() - (previousAnswerAt?.getTime() ?? 0);
    if (unseenMs < settings.forgetsAfterMs) {
      // Slurm still remembers whatever ended since the last answer: it has lost this job, which never started.
      await this.#change(job, {
        ...moveTo(job, 'submitting'),
        slurm: null,
        submittedAt: null,
        lookAt: clock.now(),
      });
      return;
    }
    await this.#change(job, finish(job, 'failed', clock.now(), { reason: LOST_WAITING }));
  }

  async #giveUpLater(job: JobProgress): Promise<void> {
    const now = this.#ports.clock.now();
    const since = this.#missingSince.get(job.id) ?? now;
    this.#missingSince.set(job.id, since);
    if (now.getTime() - since.getTime() < MISSING_GRACE_MS) return;
    await this.#collect(job, { slurmEnd: { state: 'LOST', reason: '', exitCode: null, signal: null } });
  }

  #forgetOthers(followed: readonly JobProgress[]): void {
    const ids = new Set(followed.map(({ id }) => id));
    for (const remembered of [this.#missingSince, this.#recordSoughtAt])
      for (const id of remembered.keys()) if (!ids.has(id)) remembered.delete(id);
  }

  #change(job: JobProgress, patch: JobPatch): Promise<JobProgress | undefined> {
    return this.#ports.jobs.change(job, patch, this.#ports.clock.now());
  }
}

function reference(job: JobProgress, row: SlurmJob): SlurmReference {
  return {
    cluster: job.slurm?.cluster ?? '',
    jobId: row.id,
    submitTime: row.submitTime,
    nodeList: row.nodeList === '' ? (job.slurm?.nodeList ?? '') : row.nodeList,
  };
}

const LOST_WAITING = {
  code: 'LostBySlurm',
  message:
    'Slurm does not know the job any more, and it never started: it was lost, or cancelled in Slurm, while nobody looked.',
};

/**
 * Whether Slurm has cancelled a job by itself that it had given nodes. A slurmd that cannot start a batch script asks for
 * the job to be requeued, and where it may not be, as with ours, has it cancelled; nothing else tells that from a scancel.
 * https://github.com/SchedMD/slurm/blob/slurm-22-05-11-1/src/slurmd/slurmd/req.c
 */
const wasGivenUp = ({ cancelRequestedAt }: JobProgress, { state, nodeList }: SlurmJob): boolean =>
  state === 'CANCELLED' && nodeList !== '' && cancelRequestedAt === null;
