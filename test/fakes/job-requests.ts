import { type JobRequest, type JobRequestBody, jobRequestSchema } from '#core/jobs/job-request';
import type { NewJob } from '#core/jobs/job-store';
import { idOf } from './counting-ids.ts';

/** A valid request: what is given, or `hostname`. */
export const jobRequest = (body: JobRequestBody = { command: ['hostname'] }): JobRequest =>
  jobRequestSchema.parse(body);

/** A job of the account `alice`, as it is before it is stored. */
export const newJob = (fields: Partial<NewJob> = {}): NewJob => ({
  id: idOf('job', 1),
  ownerId: idOf('usr', 1),
  account: 'alice',
  name: 'test',
  request: jobRequest(),
  script: '#!/bin/bash\n',
  createdAt: new Date('2026-03-01T12:00:00Z'),
  idempotencyKey: null,
  ...fields,
});
