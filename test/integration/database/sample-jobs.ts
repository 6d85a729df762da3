import { jobRequestSchema, type JobRequestBody } from '#core/jobs/job-request';
import type { NewJob } from '#core/jobs/job-store';
import { typeIdGenerator } from '../../../libs/infra/src/identity/type-id-generator.ts';

/** A new job that differs from others in its id, and in what is given. */
export function sampleJob(
  given: Partial<Omit<NewJob, 'request'>> & { request?: JobRequestBody } = {},
): NewJob {
  const { request = { command: ['hostname'] }, ...fields } = given;
  return {
    id: typeIdGenerator.next('job'),
    ownerId: 'usr_01k00000000000000000000001',
    account: 'alice',
    name: 'sample',
    script: '#!/bin/bash\nhostname\n',
    createdAt: new Date('2026-11-01T10:00:00.123Z'),
    idempotencyKey: null,
    ...fields,
    request: jobRequestSchema.parse(request),
  };
}
