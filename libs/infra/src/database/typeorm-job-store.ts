import type { DataSource } from 'typeorm';
import type { Job, JobPatch, JobProgress } from '#core/jobs/job';
import type { JobEvent } from '#core/jobs/job-event';
import { FINAL_STATES, JOB_STATES, type JobState } from '#core/jobs/job-state';
import type { JobFilter, JobStore, NewJob } from '#core/jobs/job-store';
import type { Page } from '#core/vocabulary/page';
import { JOB_CHANGES_CHANNEL } from './job-changes.ts';
import {
  acceptedJob,
  CHANGEABLE_COLUMNS,
  changedJob,
  eventType,
  insertedColumns,
  JOB_COLUMNS,
  PROGRESS_COLUMNS,
  patchedColumns,
  toJob,
  toJobEvent,
  toJobProgress,
} from './job-row.ts';
import { parseCursor, toPage } from './page-cursor.ts';
import { runSql } from './run-sql.ts';
import { columnList, SqlParameters } from './sql-text.ts';
import { storableJson } from './storable-text.ts';
import type { JobEventRow } from './tables/job-events.ts';
import type { JobRow } from './tables/jobs.ts';

const SELECT_JOB = `SELECT ${columnList(JOB_COLUMNS)} FROM jobs`;

/**
 * Jobs in PostgreSQL. What is written together is one statement, which is a transaction by itself: a job with its
 * event and the notification that others listen to.
 */
export class TypeormJobStore implements JobStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async insert(newJob: NewJob): Promise<{ job: Job; inserted: boolean }> {
    const job = acceptedJob(newJob);
    const parameters = new SqlParameters();
    const columns = Object.entries(insertedColumns(job, newJob.idempotencyKey));
    const inserted = await this.#rows<{ id: string }>(
      `WITH inserted AS (
         INSERT INTO jobs (${columnList(columns.map(([column]) => column))})
         VALUES (${columns.map(([, value]) => parameters.add(value)).join(', ')})
         ON CONFLICT (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
         RETURNING id, version, state, created_at
       ), event AS (
         INSERT INTO job_events (job_id, seq, type, state, at)
         SELECT id, version, 'state', state, created_at FROM inserted
       )
       SELECT id FROM inserted`,
      parameters.values,
    );
    if (inserted.length > 0) return { job, inserted: true };
    const older = await this.findByIdempotencyKey(newJob.ownerId, newJob.idempotencyKey ?? '');
    if (older === undefined)
      throw new Error('a job with this idempotency key was there, and is not any more');
    return { job: older, inserted: false };
  }

  async find(id: string): Promise<Job | undefined> {
    const [row] = await this.#rows<JobRow>(`${SELECT_JOB} WHERE id = $1`, [id]);
    return row === undefined ? undefined : toJob(row);
  }

  async findByIdempotencyKey(ownerId: string, key: string): Promise<Job | undefined> {
    const [row] = await this.#rows<JobRow>(`${SELECT_JOB} WHERE owner_id = $1 AND idempotency_key = $2`, [
      ownerId,
      key,
    ]);
    return row === undefined ? undefined : toJob(row);
  }

  async list(filter: JobFilter, page: { limit: number; cursor?: string | undefined }): Promise<Page<Job>> {
    const parameters = new SqlParameters();
    const conditions = filterConditions(filter, parameters);
    if (page.cursor !== undefined) {
      const { createdAt, id } = parseCursor(page.cursor);
      conditions.push(
        `(created_at, id) < (${parameters.add(createdAt)}::timestamptz, ${parameters.add(id)}::text)`,
      );
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = await this.#rows<JobRow>(
      `${SELECT_JOB} ${where} ORDER BY created_at DESC, id DESC LIMIT ${parameters.add(page.limit + 1)}`,
      parameters.values,
    );
    return toPage(rows.map(toJob), page.limit);
  }

  /**
   * The row's lock is what orders the events of a job: the UPDATE takes it, and whoever waited for it finds another
   * version and changes nothing. What the job was before is known from `job`, because its version is.
   */
  async change<J extends JobProgress>(job: J, patch: JobPatch, at: Date): Promise<J | undefined> {
    const parameters = new SqlParameters();
    const assignments = Object.entries(patchedColumns(patch)).map(
      ([column, value]) => `${column} = ${parameters.add(value)}`,
    );
    const type = eventType(job, patch);
    const event =
      type === undefined
        ? ''
        : `, event AS (
             INSERT INTO job_events (job_id, seq, type, state, reason, at)
             SELECT id, version, ${parameters.add(type)}::text, state, reason, ${parameters.add(at)}::timestamptz
             FROM changed
           )`;
    const [row] = await this.#rows<JobRow>(
      `WITH changed AS (
         UPDATE jobs SET ${['version = version + 1', ...assignments].join(', ')}
         WHERE id = ${parameters.add(job.id)} AND version = ${parameters.add(job.version)}
         RETURNING id, ${columnList(CHANGEABLE_COLUMNS)}
       )${event}
       SELECT changed.*, pg_notify('${JOB_CHANGES_CHANNEL}', id) FROM changed`,
      parameters.values,
    );
    return row === undefined ? undefined : changedJob(job, row);
  }

  async takeDue(now: Date, putOffUntil: Date, limit: number): Promise<JobProgress[]> {
    const rows = await this.#rows<JobRow>(
      `WITH due AS (
         SELECT id, look_at AS due_at FROM jobs WHERE look_at <= $1
         ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE jobs SET look_at = $2 FROM due WHERE jobs.id = due.id
         RETURNING ${columnList(PROGRESS_COLUMNS, 'jobs')}, due.due_at
       )
       SELECT * FROM taken ORDER BY due_at, id`,
      [now, putOffUntil, limit],
    );
    return rows.map(toJobProgress);
  }

  async putOff(id: string, until: Date): Promise<void> {
    await this.#rows(`UPDATE jobs SET look_at = $2 WHERE id = $1 AND state <> ALL ($3)`, [
      id,
      until,
      FINAL_STATES,
    ]);
  }

  async followed(): Promise<JobProgress[]> {
    const rows = await this.#rows<JobRow>(
      `SELECT ${columnList(PROGRESS_COLUMNS)} FROM jobs
       WHERE state IN ('queued', 'running') OR (state = 'submitting' AND submit_intent_at IS NOT NULL)
       ORDER BY id`,
    );
    return rows.map(toJobProgress);
  }

  async eventsAfter(jobId: string, seq: number, limit: number): Promise<JobEvent[]> {
    const rows = await this.#rows<JobEventRow>(
      'SELECT job_id, seq, type, state, reason, at FROM job_events WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3',
      [jobId, seq, limit],
    );
    return rows.map(toJobEvent);
  }

  /** Every state is there, with 0 where no job is in it. */
  async countByState(): Promise<Map<JobState, number>> {
    const rows = await this.#rows<{ state: JobState; jobs: string }>(
      'SELECT state, count(*) AS jobs FROM jobs GROUP BY state',
    );
    const counts = new Map<JobState, number>(JOB_STATES.map((state) => [state, 0]));
    for (const { state, jobs } of rows) counts.set(state, Number(jobs));
    return counts;
  }

  #rows<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.#dataSource, sql, parameters);
  }
}

function filterConditions(filter: JobFilter, parameters: SqlParameters): string[] {
  const conditions: string[] = [];
  if (filter.ownerId !== undefined) conditions.push(`owner_id = ${parameters.add(filter.ownerId)}`);
  if (filter.states !== undefined) conditions.push(`state = ANY (${parameters.add(filter.states)})`);
  if (filter.name !== undefined) conditions.push(`name = ${parameters.add(filter.name)}`);
  if (filter.labels !== undefined)
    conditions.push(`labels @> ${parameters.add(storableJson(filter.labels))}`);
  if (filter.createdAfter !== undefined)
    conditions.push(`created_at > ${parameters.add(filter.createdAfter)}`);
  if (filter.createdBefore !== undefined)
    conditions.push(`created_at < ${parameters.add(filter.createdBefore)}`);
  return conditions;
}
