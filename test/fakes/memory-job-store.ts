import type { Job, JobPatch, JobProgress } from '#core/jobs/job';
import type { JobEvent } from '#core/jobs/job-event';
import { isFinal, JOB_STATES, type JobState, STATES_IN_SLURM } from '#core/jobs/job-state';
import { type JobFilter, type JobStore, type NewJob, PUT_OFF_MS } from '#core/jobs/job-store';
import type { Page } from '#core/vocabulary/page';
import { Problem } from '#core/vocabulary/problem';

interface Row {
  job: Job;
  idempotencyKey: string | null;
  events: JobEvent[];
}

/** Jobs in memory. What is given out and taken in is copied, as a database would. */
export class MemoryJobStore implements JobStore {
  readonly #rows = new Map<string, Row>();
  readonly #changed: (jobId: string) => void;

  /** @param changed told the id of each job that has changed */
  constructor(changed: (jobId: string) => void = () => {}) {
    this.#changed = changed;
  }

  async insert({ idempotencyKey, ...given }: NewJob): Promise<{ job: Job; inserted: boolean }> {
    const older = idempotencyKey === null ? undefined : this.#withKey(given.ownerId, idempotencyKey);
    if (older !== undefined) return { job: structuredClone(older.job), inserted: false };
    if (this.#rows.has(given.id)) throw new Error(`the id ${given.id} is taken`);
    const job: Job = {
      ...structuredClone(given),
      version: 1,
      accountUid: null,
      state: 'accepted',
      reason: null,
      cancelRequestedAt: null,
      submitAttempts: 0,
      submitIntentAt: null,
      slurm: null,
      slurmEnd: null,
      exitCode: null,
      signal: null,
      outputs: null,
      outputsTruncated: false,
      lastLines: null,
      submittedAt: null,
      startedAt: null,
      endedAt: null,
      lookAt: new Date(given.createdAt.getTime() + PUT_OFF_MS),
    };
    const event: JobEvent = {
      jobId: job.id,
      seq: 1,
      type: 'state',
      state: 'accepted',
      reason: null,
      at: job.createdAt,
    };
    this.#rows.set(job.id, { job, idempotencyKey, events: [event] });
    this.#changed(job.id);
    return { job: structuredClone(job), inserted: true };
  }

  async find(id: string): Promise<Job | undefined> {
    return structuredClone(this.#rows.get(id)?.job);
  }

  async findByIdempotencyKey(ownerId: string, key: string): Promise<Job | undefined> {
    return structuredClone(this.#withKey(ownerId, key)?.job);
  }

  async list(filter: JobFilter, page: { limit: number; cursor?: string | undefined }): Promise<Page<Job>> {
    const after = page.cursor === undefined ? undefined : parseCursor(page.cursor);
    const matching = this.#all()
      .map(({ job }) => job)
      .filter((job) => matches(job, filter) && (after === undefined || newestFirst(after, job) < 0))
      .sort(newestFirst);
    const items = matching.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: structuredClone(items),
      next: matching.length > page.limit && last !== undefined ? formatCursor(last) : null,
    };
  }

  async change<J extends JobProgress>(job: J, patch: JobPatch, at: Date): Promise<J | undefined> {
    const row = this.#rows.get(job.id);
    if (row?.job.version !== job.version) return undefined;
    const before = row.job;
    row.job = { ...before, ...structuredClone(patch), version: before.version + 1 };
    const type = eventType(before, row.job);
    if (type !== undefined) {
      const { id: jobId, version: seq, state, reason } = row.job;
      row.events.push(structuredClone({ jobId, seq, type, state, reason, at }));
    }
    this.#changed(job.id);
    return structuredClone({ ...job, ...progressOf(row.job) });
  }

  async takeDue(now: Date, putOffUntil: Date, limit: number): Promise<JobProgress[]> {
    const due = this.#all()
      .flatMap(({ job }) => (job.lookAt !== null && job.lookAt <= now ? [{ job, dueAt: job.lookAt }] : []))
      .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime() || (a.job.id < b.job.id ? -1 : 1))
      .slice(0, limit);
    for (const { job } of due) job.lookAt = new Date(putOffUntil);
    return structuredClone(due.map(({ job }) => progressOf(job)));
  }

  async putOff(id: string, until: Date): Promise<void> {
    const job = this.#rows.get(id)?.job;
    if (job !== undefined && !isFinal(job.state)) job.lookAt = new Date(until);
  }

  async followed(): Promise<JobProgress[]> {
    const jobs = this.#all()
      .map(({ job }) => job)
      .filter(
        ({ state, submitIntentAt }) =>
          STATES_IN_SLURM.includes(state) || (state === 'submitting' && submitIntentAt !== null),
      );
    return structuredClone(jobs.map(progressOf));
  }

  async eventsAfter(jobId: string, seq: number, limit: number): Promise<JobEvent[]> {
    const events = this.#rows.get(jobId)?.events ?? [];
    return structuredClone(events.filter((event) => event.seq > seq).slice(0, limit));
  }

  async countByState(): Promise<Map<JobState, number>> {
    const counts = new Map<JobState, number>(JOB_STATES.map((state) => [state, 0]));
    for (const { job } of this.#rows.values()) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
    return counts;
  }

  #withKey(ownerId: string, key: string): Row | undefined {
    return this.#all().find((row) => row.idempotencyKey === key && row.job.ownerId === ownerId);
  }

  #all(): Row[] {
    return [...this.#rows.values()];
  }
}

const progressOf = ({ request: _request, script: _script, ...progress }: Job): JobProgress => progress;

function matches(job: Job, filter: JobFilter): boolean {
  const { ownerId, states, name, labels = {}, createdAfter, createdBefore } = filter;
  return (
    (ownerId === undefined || job.ownerId === ownerId) &&
    (states === undefined || states.includes(job.state)) &&
    (name === undefined || job.name === name) &&
    (createdAfter === undefined || job.createdAt > createdAfter) &&
    (createdBefore === undefined || job.createdAt < createdBefore) &&
    Object.entries(labels).every(([key, value]) => job.request.labels[key] === value)
  );
}

function eventType(before: Job, after: Job): JobEvent['type'] | undefined {
  if (after.state !== before.state) return 'state';
  if (after.reason?.code !== before.reason?.code || after.reason?.message !== before.reason?.message)
    return 'reason';
  if (after.cancelRequestedAt !== null && before.cancelRequestedAt === null) return 'cancel_requested';
  return undefined;
}

type Position = Pick<Job, 'createdAt' | 'id'>;

const newestFirst = (a: Position, b: Position): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const formatCursor = ({ createdAt, id }: Position): string =>
  Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url');

function parseCursor(cursor: string): Position {
  const [, ms, id] = /^(\d+)\.(.+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (id === undefined) throw new Problem('invalid_request', 'The cursor is not one that was given out.');
  return { createdAt: new Date(Number(ms)), id };
}
