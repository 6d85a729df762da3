import { beforeEach, describe, expect, it } from 'vitest';
import { caller } from '../../../../test/fakes/callers.ts';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { existing } from '../../../../test/fakes/existing.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryJobQueue } from '../../../../test/fakes/memory-job-queue.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { permissionsOf } from '../access/permissions.ts';
import type { Job, JobPatch } from './job.ts';
import { JOB_STATES, type JobState } from './job-state.ts';
import { RequestCancel } from './request-cancel.ts';
import { findVisibleJob } from './read-jobs.ts';

const { id } = newJob();
const clock = new ManualClock();
let jobs: MemoryJobStore;
let queue: MemoryJobQueue;
let requestCancel: RequestCancel;

beforeEach(() => {
  jobs = new MemoryJobStore();
  queue = new MemoryJobQueue();
  requestCancel = new RequestCancel(jobs, queue, clock);
});

async function jobIn(state: JobState, patch: JobPatch = {}): Promise<Job> {
  const { job } = await jobs.insert(newJob());
  return existing(await jobs.change(job, { ...patch, state }, clock.now()));
}

const WORK: Partial<Record<JobState, 'submit' | 'cancel'>> = {
  accepted: 'submit',
  staging: 'submit',
  submitting: 'submit',
  queued: 'cancel',
  running: 'cancel',
};

describe('RequestCancel', () => {
  it.each(JOB_STATES)('answers for a job that is %s', async (state) => {
    const job = await jobIn(state);
    const work = WORK[state];
    if (work === undefined) {
      await expect(requestCancel.run(caller(), id)).rejects.toMatchObject({ code: 'job_finished' });
      await expect(jobs.find(id)).resolves.toEqual(job);
      expect(queue.take()).toEqual([]);
      return;
    }
    const cancelled = await requestCancel.run(caller(), id);
    expect(cancelled).toMatchObject({ state, cancelRequestedAt: clock.now() });
    expect(cancelled.lookAt?.getTime()).toBeGreaterThan(clock.now().getTime());
    await expect(jobs.find(id)).resolves.toEqual(cancelled);
    expect(queue.take()).toEqual([[work, id]]);
  });

  it.each(JOB_STATES)('asked twice is asked once, also when the job is %s by then', async (state) => {
    const job = await jobIn(state, { cancelRequestedAt: clock.now() });
    await expect(requestCancel.run(caller(), id)).resolves.toEqual(job);
    expect(queue.take()).toEqual([]);
  });

  it('stands though the queue is down: the sweeper finds the job', async () => {
    await jobIn('running', { lookAt: null });
    queue.down = true;
    const { lookAt } = await requestCancel.run(caller(), id);
    expect(lookAt).not.toBeNull();
  });

  it('holds for the job as it is, where it changes at the same moment', async () => {
    await jobIn('queued');
    const change = jobs.change.bind(jobs);
    let raced = false;
    jobs.change = async (job, patch, at) => {
      if (!raced) {
        raced = true;
        await change(job, { state: 'running' }, at);
      }
      return change(job, patch, at);
    };
    await expect(requestCancel.run(caller(), id)).resolves.toMatchObject({ state: 'running', version: 4 });
    expect(queue.take()).toEqual([['cancel', id]]);
  });

  it('is too late where the job ends at the same moment', async () => {
    await jobIn('running');
    const change = jobs.change.bind(jobs);
    jobs.change = async (job, patch, at) => {
      await change(job, { state: 'collecting' }, at);
      return change(job, patch, at);
    };
    await expect(requestCancel.run(caller(), id)).rejects.toMatchObject({ code: 'job_finished' });
    await expect(jobs.find(id)).resolves.toMatchObject({ cancelRequestedAt: null });
  });

  it("does not give away that somebody else's job is there", async () => {
    await jobIn('running');
    await expect(requestCancel.run(caller('user', idOf('usr', 2)), id)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(requestCancel.run(caller(), idOf('job', 9))).rejects.toMatchObject({ code: 'not_found' });
  });

  it("is not for those who may only read everybody's jobs", async () => {
    await jobIn('running');
    const reader = {
      ...caller('admin', idOf('usr', 2)),
      permissions: permissionsOf('admin', ['jobs:read:all', 'jobs:write']),
    };
    await expect(requestCancel.run(reader, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(requestCancel.run(caller('operator', idOf('usr', 2)), id)).resolves.toMatchObject({
      state: 'running',
    });
  });
});

describe('findVisibleJob', () => {
  it("finds one's own job, and everybody's where the caller may", async () => {
    const job = await jobIn('running');
    await expect(findVisibleJob(jobs, caller(), id)).resolves.toEqual(job);
    await expect(findVisibleJob(jobs, caller('operator', idOf('usr', 2)), id)).resolves.toEqual(job);
  });

  it("answers the same for a job that is not there and for somebody else's", async () => {
    await jobIn('running');
    const messageOf = (jobId: string) =>
      findVisibleJob(jobs, caller('user', idOf('usr', 2)), jobId).catch((error: unknown) =>
        String(error).replace(jobId, '…'),
      );
    expect(await messageOf(id)).toBe(await messageOf(idOf('job', 9)));
  });
});
