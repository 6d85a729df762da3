import type { JobResource } from '../api-types.ts';

export const JOB_ID = 'job_01j00000000000000000000000';

/** A job as the API answers it. */
export function jobResource(changes: Partial<JobResource> = {}): JobResource {
  return {
    id: JOB_ID,
    name: 'pi',
    state: 'accepted',
    finished: false,
    reason: null,
    owner: 'usr_01j00000000000000000000000',
    account: 'alice',
    labels: {},
    slurm: null,
    exitCode: null,
    signal: null,
    lastLines: null,
    outputs: null,
    outputsTruncated: false,
    cancelRequestedAt: null,
    createdAt: '2031-04-05T06:07:08.000Z',
    submittedAt: null,
    startedAt: null,
    endedAt: null,
    version: 1,
    request: { exclusive: false, env: {}, inputs: [], outputs: [], labels: {}, command: ['true'] },
    ...changes,
  };
}

export const completedJob = (changes: Partial<JobResource> = {}): JobResource =>
  jobResource({ state: 'completed', finished: true, exitCode: 0, outputs: [], ...changes });

export const failedJob = (changes: Partial<JobResource> = {}): JobResource =>
  jobResource({ state: 'failed', finished: true, exitCode: 3, lastLines: 'no such mesh', ...changes });
