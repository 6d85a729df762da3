import { beforeEach, describe, expect, it } from 'vitest';
import { existing } from '../../../../test/fakes/existing.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { ScriptedSlurm, slurmJob } from '../../../../test/fakes/scripted-slurm.ts';
import { absent, unknown } from '../vocabulary/answer.ts';
import { CancelInSlurm } from './cancel-in-slurm.ts';
import type { Job, JobPatch } from './job.ts';
import { JOB_STATES, type JobState } from './job-state.ts';

const { id } = newJob();
const clock = new ManualClock();
let jobs: MemoryJobStore;
let slurm: ScriptedSlurm;
let cancel: CancelInSlurm;

beforeEach(() => {
  jobs = new MemoryJobStore();
  slurm = new ScriptedSlurm();
  cancel = new CancelInSlurm(jobs, slurm, clock);
});

async function jobIn(state: JobState, patch: JobPatch = {}): Promise<Job> {
  const { job } = await jobs.insert(newJob());
  const slurmReference = { cluster: 'pi', jobId: 7, submitTime: clock.now(), nodeList: '' };
  const requested = { slurm: slurmReference, cancelRequestedAt: clock.now(), lookAt: clock.now() };
  return existing(await jobs.change(job, { ...requested, ...patch, state }, clock.now()));
}

describe('CancelInSlurm', () => {
  it.each<JobState>(['queued', 'running'])(
    'passes the request on for a job that is %s, leaves its end to the tracker, and looks again later',
    async (state) => {
      await jobIn(state);
      await expect(cancel.run(id)).resolves.toBeUndefined();
      expect(slurm.cancelled).toEqual([[7, 'alice']]);
      await expect(jobs.find(id)).resolves.toMatchObject({ state, lookAt: clock.in(60_000) });
    },
  );

  it('cancels every copy of the job, and nothing that only has its comment', async () => {
    await jobIn('queued', { accountUid: 1001 });
    const shown = { comment: id, userId: 1001, state: 'PENDING' };
    slurm.willList(
      slurmJob({ ...shown, id: 7 }),
      slurmJob({ ...shown, id: 8 }),
      slurmJob({ ...shown, id: 9, userId: 1002 }),
      slurmJob({ ...shown, id: 10, comment: 'job_other' }),
    );
    await cancel.run(id);
    expect(slurm.cancelled).toEqual([
      [7, 'alice'],
      [8, 'alice'],
    ]);
  });

  it('cancels nothing before it knows of the copies', async () => {
    await jobIn('running');
    slurm.listAnswer = unknown('slurmctld is down');
    await expect(cancel.run(id)).resolves.toEqual({ afterMs: 5_000 });
    expect(slurm.cancelled).toEqual([]);
  });

  it('is done where Slurm has no such job: the tracker finds out how it ended', async () => {
    await jobIn('running');
    slurm.cancelAnswer = absent;
    await expect(cancel.run(id)).resolves.toBeUndefined();
    await expect(jobs.find(id)).resolves.toMatchObject({ state: 'running', lookAt: clock.in(60_000) });
  });

  it('tries again where Slurm cannot be reached', async () => {
    const job = await jobIn('running');
    slurm.cancelAnswer = unknown('slurmctld is down');
    await expect(cancel.run(id)).resolves.toEqual({ afterMs: 5_000 });
    await expect(jobs.find(id)).resolves.toEqual(job);
  });

  it.each([
    ['cannot be looked up', unknown('ssh timed out')],
    ['is not there any more', absent],
  ])('tries again where the account %s', async (_, answer) => {
    const job = await jobIn('running');
    slurm.accounts.set('alice', answer);
    await expect(cancel.run(id)).resolves.toEqual({ afterMs: 5_000 });
    await expect(jobs.find(id)).resolves.toEqual(job);
    expect(slurm.cancelled).toEqual([]);
  });

  it.each(JOB_STATES.filter((state) => state !== 'queued' && state !== 'running'))(
    'leaves a job alone that is %s',
    async (state) => {
      const job = await jobIn(state);
      await expect(cancel.run(id)).resolves.toBeUndefined();
      await expect(jobs.find(id)).resolves.toEqual(job);
      expect(slurm.cancelled).toEqual([]);
    },
  );

  it('cancels nothing that nobody wants cancelled, and keeps the sweeper from coming again', async () => {
    await jobIn('running', { cancelRequestedAt: null });
    await expect(cancel.run(id)).resolves.toBeUndefined();
    expect(slurm.cancelled).toEqual([]);
    await expect(jobs.find(id)).resolves.toMatchObject({ state: 'running', lookAt: null });
  });

  it('does not overlook a request that comes while it looks', async () => {
    const before = await jobIn('running', { cancelRequestedAt: null });
    const requested = { cancelRequestedAt: clock.now(), lookAt: clock.in(10_000) };
    const find = jobs.find.bind(jobs);
    jobs.find = async () => {
      jobs.find = find;
      await jobs.change(before, requested, clock.now());
      return before;
    };
    await cancel.run(id);
    await expect(jobs.find(id)).resolves.toMatchObject(requested);
  });

  it('leaves what is not there', async () => {
    await expect(cancel.run('job_none')).resolves.toBeUndefined();
  });
});
