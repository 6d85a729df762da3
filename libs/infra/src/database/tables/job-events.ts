import type { Reason } from '#core/jobs/job';
import type { JobEvent } from '#core/jobs/job-event';
import type { JobState } from '#core/jobs/job-state';
import { instant, optionalJson, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';
import { jobsTable } from './jobs.ts';

export interface JobEventRow {
  job_id: string;
  seq: number;
  type: JobEvent['type'];
  state: JobState;
  reason: Reason | null;
  at: Date;
}

export const jobEventsTable = defineTable<JobEventRow>({
  name: 'job_events',
  columns: {
    job_id: primaryKey('job_events_pkey'),
    seq: primaryKey('job_events_pkey', 'integer'),
    type: text,
    state: text,
    reason: optionalJson,
    at: instant,
  },
  foreignKeys: [
    {
      name: 'job_events_job',
      target: jobsTable,
      columnNames: ['job_id'],
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
});
