import { beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryJobQueue } from '../../../../test/fakes/memory-job-queue.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { isFinal, JOB_STATES, type JobState } from './job-state.ts';
import { type JobWork, PUT_OFF_MS } from './job-store.ts';
import { SweepJobs } from './sweep-jobs.ts';
import { type NextLook, WorkOnJob } from './work-on-job.ts';

const clock = new ManualClock();
let jobs: MemoryJobStore;
let queue: MemoryJobQueue;
let sweep: SweepJobs;

beforeEach(() => {
  jobs = new MemoryJobStore();
  queue = new MemoryJobQueue();
  sweep = new SweepJobs(jobs, queue, clock);
});

async function dueIn(n: number, state: JobState, afterMs = 0): Promise<string> {
  const { job } = await jobs.insert(newJob({ id: idOf('job', n) }));
  await jobs.change(job, { state, lookAt: isFinal(state) ? null : clock.in(afterMs) }, clock.now());
  return job.id;
}

describe('SweepJobs', () => {
  it.each<[JobState, JobWork]>([
    ['accepted', 'submit'],
    ['staging', 'submit'],
    ['submitting', 'submit'],
    ['queued', 'cancel'],
    ['running', 'cancel'],
    ['collecting', 'collect'],
  ])('queues a job that is %s to %s', async (state, work) => {
    const id = await dueIn(1, state);
    await expect(sweep.run()).resolves.toBe(1);
    expect(queue.take()).toEqual([[work, id]]);
  });

  it('has work for every state but the final ones', async () => {
    for (const [n, state] of JOB_STATES.entries()) await dueIn(n, state);
    await expect(sweep.run()).resolves.toBe(JOB_STATES.filter((state) => !isFinal(state)).length);
  });

  it('passes over what is not due, and what it has queued a moment ago', async () => {
    await dueIn(1, 'queued', 1);
    await dueIn(2, 'collecting');
    await expect(sweep.run()).resolves.toBe(1);
    await expect(sweep.run()).resolves.toBe(0);
    clock.advance(PUT_OFF_MS);
    await expect(sweep.run()).resolves.toBe(2);
  });

  it('queues no more at once than it was told', async () => {
    for (let n = 1; n <= 5; n += 1) await dueIn(n, 'collecting');
    await expect(sweep.run(3)).resolves.toBe(3);
    await expect(sweep.run(3)).resolves.toBe(2);
  });

  it('finds again what the queue did not take', async () => {
    const id = await dueIn(1, 'collecting');
    queue.down = true;
    await expect(sweep.run()).rejects.toThrow('queue');
    queue.down = false;
    clock.advance(PUT_OFF_MS);
    await sweep.run();
    expect(queue.take()).toEqual([['collect', id]]);
  });
});

describe('WorkOnJob', () => {
  const does = (next: NextLook) => {
    const done: [JobWork, string][] = [];
    const worker = (work: JobWork) => ({
      run: async (jobId: string) => {
        done.push([work, jobId]);
        return next;
      },
    });
    const workers = { submit: worker('submit'), cancel: worker('cancel'), collect: worker('collect') };
    return { done, work: new WorkOnJob(workers, jobs, clock) };
  };

  it.each<JobWork>(['submit', 'cancel', 'collect'])(
    'gives the work %s to the one that does it',
    async (kind) => {
      const { done, work } = does(undefined);
      await work.run(kind, idOf('job', 1));
      expect(done).toEqual([[kind, idOf('job', 1)]]);
    },
  );

  it('sees to it that what is not finished is looked at when its worker says', async () => {
    const id = await dueIn(1, 'submitting');
    await does({ afterMs: 1234 }).work.run('submit', id);
    await expect(jobs.find(id)).resolves.toMatchObject({ lookAt: clock.in(1234) });
  });

  it('leaves alone what is done', async () => {
    const id = await dueIn(1, 'queued', 50);
    const before = await jobs.find(id);
    await does(undefined).work.run('submit', id);
    await expect(jobs.find(id)).resolves.toEqual(before);
  });
});
