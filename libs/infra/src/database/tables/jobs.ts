import type { OutputFile, Reason, SlurmEnd } from '#core/jobs/job';
import type { JobRequest } from '#core/jobs/job-request';
import type { JobState } from '#core/jobs/job-state';
import {
  boolean,
  instant,
  integer,
  json,
  optionalBigint,
  optionalInstant,
  optionalInteger,
  optionalJson,
  optionalText,
  primaryKey,
  text,
} from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface JobRow {
  id: string;
  version: number;
  owner_id: string;
  idempotency_key: string | null;
  account: string;
  account_uid: string | null;
  name: string;
  request: JobRequest;
  /** The request's labels once more, for the index. */
  labels: Record<string, string>;
  script: string;
  state: JobState;
  reason: Reason | null;
  cancel_requested_at: Date | null;
  submit_attempts: number;
  submit_intent_at: Date | null;
  slurm_cluster: string | null;
  slurm_job_id: string | null;
  slurm_submit_time: Date | null;
  slurm_node_list: string | null;
  slurm_end: SlurmEnd | null;
  exit_code: number | null;
  signal: number | null;
  outputs: OutputFile[] | null;
  outputs_truncated: boolean;
  last_lines: string | null;
  created_at: Date;
  submitted_at: Date | null;
  started_at: Date | null;
  ended_at: Date | null;
  look_at: Date | null;
}

export const jobsTable = defineTable<JobRow>({
  name: 'jobs',
  columns: {
    id: primaryKey('jobs_pkey'),
    version: integer,
    owner_id: text,
    idempotency_key: optionalText,
    account: text,
    account_uid: optionalBigint,
    name: text,
    request: json,
    labels: json,
    script: text,
    state: text,
    reason: optionalJson,
    cancel_requested_at: optionalInstant,
    submit_attempts: integer,
    submit_intent_at: optionalInstant,
    slurm_cluster: optionalText,
    slurm_job_id: optionalBigint,
    slurm_submit_time: optionalInstant,
    slurm_node_list: optionalText,
    slurm_end: optionalJson,
    exit_code: optionalInteger,
    signal: optionalInteger,
    outputs: optionalJson,
    outputs_truncated: boolean,
    last_lines: optionalText,
    created_at: instant,
    submitted_at: optionalInstant,
    started_at: optionalInstant,
    ended_at: optionalInstant,
    look_at: optionalInstant,
  },
  indices: [
    {
      name: 'jobs_idempotency_key',
      columns: ['owner_id', 'idempotency_key'],
      unique: true,
      where: 'idempotency_key IS NOT NULL',
    },
    { name: 'jobs_owner_newest', columns: ['owner_id', 'created_at', 'id'] },
    { name: 'jobs_newest', columns: ['created_at', 'id'] },
    { name: 'jobs_due', columns: ['look_at'], where: 'look_at IS NOT NULL' },
    { name: 'jobs_followed', columns: ['id'], where: `state IN ('submitting', 'queued', 'running')` },
    // An EntitySchema cannot say "GIN": the migration has it.
    { name: 'jobs_labels', columns: ['labels'], synchronize: false },
  ],
});
