import type { Job, JobPatch, JobProgress } from '#core/jobs/job';
import type { JobEvent } from '#core/jobs/job-event';
import type { NewJob } from '#core/jobs/job-store';
import { PUT_OFF_MS } from '#core/jobs/job-store';
import { storableJson, storableText } from './storable-text.ts';
import type { JobEventRow } from './tables/job-events.ts';
import type { JobRow } from './tables/jobs.ts';

type ChangeableField = keyof JobPatch;
type Columns = Partial<Record<keyof JobRow, unknown>>;

const optionalText = (text: string | null): string | null => (text === null ? null : storableText(text));

/** How each field that may change is kept. */
const CHANGEABLE: { [Field in ChangeableField]: (value: Job[Field]) => Columns } = {
  accountUid: (uid) => ({ account_uid: uid }),
  state: (state) => ({ state }),
  reason: (reason) => ({ reason: storableJson(reason) }),
  cancelRequestedAt: (at) => ({ cancel_requested_at: at }),
  submitAttempts: (attempts) => ({ submit_attempts: attempts }),
  submitIntentAt: (at) => ({ submit_intent_at: at }),
  slurm: (slurm) => ({
    slurm_cluster: slurm?.cluster ?? null,
    slurm_job_id: slurm?.jobId ?? null,
    slurm_submit_time: slurm?.submitTime ?? null,
    slurm_node_list: slurm?.nodeList ?? null,
  }),
  slurmEnd: (end) => ({ slurm_end: storableJson(end) }),
  exitCode: (code) => ({ exit_code: code }),
  signal: (signal) => ({ signal }),
  outputs: (outputs) => ({ outputs: storableJson(outputs) }),
  outputsTruncated: (truncated) => ({ outputs_truncated: truncated }),
  lastLines: (lines) => ({ last_lines: optionalText(lines) }),
  submittedAt: (at) => ({ submitted_at: at }),
  startedAt: (at) => ({ started_at: at }),
  endedAt: (at) => ({ ended_at: at }),
  lookAt: (at) => ({ look_at: at }),
};

/** Columns that a change may set, with the version: the rest of a job is as it was made. */
export const CHANGEABLE_COLUMNS: readonly (keyof JobRow)[] = [
  'version',
  'account_uid',
  'state',
  'reason',
  'cancel_requested_at',
  'submit_attempts',
  'submit_intent_at',
  'slurm_cluster',
  'slurm_job_id',
  'slurm_submit_time',
  'slurm_node_list',
  'slurm_end',
  'exit_code',
  'signal',
  'outputs',
  'outputs_truncated',
  'last_lines',
  'submitted_at',
  'started_at',
  'ended_at',
  'look_at',
];

/** Columns that make up a job without what was asked for. */
export const PROGRESS_COLUMNS: readonly (keyof JobRow)[] = [
  'id',
  'owner_id',
  'account',
  'name',
  'created_at',
  ...CHANGEABLE_COLUMNS,
];

/** Columns that make up a job. `labels` and `idempotency_key` are for the database's own use. */
export const JOB_COLUMNS: readonly (keyof JobRow)[] = ['request', 'script', ...PROGRESS_COLUMNS];

/** What a patch sets. A field that is left out, or undefined, stays. */
export function patchedColumns(patch: JobPatch): Columns {
  const columns: Columns = {};
  for (const field of Object.keys(CHANGEABLE) as ChangeableField[]) {
    const value = patch[field];
    if (value !== undefined) Object.assign(columns, columnsOf(field, value));
  }
  return columns;
}

function columnsOf<Field extends ChangeableField>(field: Field, value: Job[Field]): Columns {
  return CHANGEABLE[field](value);
}

/** A job at its very beginning. */
export function acceptedJob(job: NewJob): Job {
  return {
    id: job.id,
    ownerId: job.ownerId,
    account: job.account,
    name: job.name,
    request: job.request,
    script: job.script,
    createdAt: job.createdAt,
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
    lookAt: new Date(job.createdAt.getTime() + PUT_OFF_MS),
  };
}

/** All columns of a new row. */
export function insertedColumns(job: Job, idempotencyKey: string | null): Columns {
  return {
    id: job.id,
    version: job.version,
    owner_id: job.ownerId,
    idempotency_key: idempotencyKey,
    account: job.account,
    name: job.name,
    request: storableJson(job.request),
    labels: storableJson(job.request.labels),
    script: storableText(job.script),
    created_at: job.createdAt,
    ...patchedColumns(job),
  };
}

export function toJob(row: JobRow): Job {
  return { ...toJobProgress(row), request: row.request, script: row.script };
}

export function toJobProgress(row: Omit<JobRow, 'request' | 'script'>): JobProgress {
  return {
    id: row.id,
    ownerId: row.owner_id,
    account: row.account,
    name: row.name,
    createdAt: row.created_at,
    ...changeableFields(row),
  };
}

/** The job after a change, of which the row has the columns that may change. */
export function changedJob<J extends JobProgress>(before: J, row: Omit<JobRow, 'request' | 'script'>): J {
  return { ...before, ...changeableFields(row) };
}

function changeableFields(row: Omit<JobRow, 'request' | 'script'>): Pick<Job, ChangeableField | 'version'> {
  return {
    version: row.version,
    accountUid: row.account_uid === null ? null : Number(row.account_uid),
    state: row.state,
    reason: row.reason,
    cancelRequestedAt: row.cancel_requested_at,
    submitAttempts: row.submit_attempts,
    submitIntentAt: row.submit_intent_at,
    slurm:
      row.slurm_job_id === null
        ? null
        : {
            cluster: row.slurm_cluster ?? '',
            jobId: Number(row.slurm_job_id),
            submitTime: row.slurm_submit_time,
            nodeList: row.slurm_node_list ?? '',
          },
    slurmEnd: row.slurm_end,
    exitCode: row.exit_code,
    signal: row.signal,
    outputs: row.outputs,
    outputsTruncated: row.outputs_truncated,
    lastLines: row.last_lines,
    submittedAt: row.submitted_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    lookAt: row.look_at,
  };
}

/** The event that a change is worth, or undefined: what only Bramble itself needs to know makes none. */
export function eventType(before: JobProgress, patch: JobPatch): JobEvent['type'] | undefined {
  if (patch.state !== undefined && patch.state !== before.state) return 'state';
  if (patch.reason !== undefined && !sameReason(patch.reason, before.reason)) return 'reason';
  if (patch.cancelRequestedAt instanceof Date && before.cancelRequestedAt === null) return 'cancel_requested';
  return undefined;
}

function sameReason(a: Job['reason'], b: Job['reason']): boolean {
  return a?.code === b?.code && a?.message === b?.message;
}

export function toJobEvent(row: JobEventRow): JobEvent {
  return {
    jobId: row.job_id,
    seq: row.seq,
    type: row.type,
    state: row.state,
    reason: row.reason,
    at: row.at,
  };
}
