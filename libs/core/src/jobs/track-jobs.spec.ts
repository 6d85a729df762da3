import { beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { existing } from '../../../../test/fakes/existing.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryClusterObservations } from '../../../../test/fakes/memory-cluster-observations.ts';
import { MemoryJobQueue } from '../../../../test/fakes/memory-job-queue.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { MemoryRunDirectories } from '../../../../test/fakes/memory-run-directories.ts';
import { ALICE, ScriptedSlurm, SLURM_SETTINGS, slurmJob } from '../../../../test/fakes/scripted-slurm.ts';
import { present, unknown } from '../vocabulary/answer.ts';
import { changeJob } from './change-job.ts';
import type { Job, JobPatch } from './job.ts';
import type { SlurmJobDetail } from './slurm-controller.ts';
import { TrackJobs } from './track-jobs.ts';

const { id } = newJob();
const FORGETS_MS = SLURM_SETTINGS.forgetsAfterMs;
let clock: ManualClock;
let jobs: MemoryJobStore;
let runs: MemoryRunDirectories;
let slurm: ScriptedSlurm;
let queue: MemoryJobQueue;
let observations: MemoryClusterObservations;
let tracker: TrackJobs;

beforeEach(() => {
  clock = new ManualClock();
  jobs = new MemoryJobStore();
  runs = new MemoryRunDirectories();
  slurm = new ScriptedSlurm();
  queue = new MemoryJobQueue();
  observations = new MemoryClusterObservations();
  tracker = new TrackJobs({ jobs, runs, slurm, queue, observations, clock });
});

/** A job with its run directory, as it stands after the worker has brought it to Slurm. */
async function jobIn(patch: JobPatch, jobId = id): Promise<Job> {
  const { job } = await jobs.insert(newJob({ id: jobId }));
  await runs.stage(jobId, [], ALICE);
  const inSlurm = {
    accountUid: ALICE.uid,
    slurm: { cluster: 'pi', jobId: 7, submitTime: null, nodeList: '' },
    lookAt: null,
  };
  return existing(await jobs.change(job, { ...inSlurm, ...patch }, clock.now()));
}
const queued = (patch: JobPatch = {}) => jobIn({ state: 'queued', ...patch });
const running = (patch: JobPatch = {}) => jobIn({ state: 'running', startedAt: clock.now(), ...patch });
const submitting = (patch: JobPatch = {}) =>
  jobIn({ state: 'submitting', slurm: null, submitIntentAt: clock.now(), submitAttempts: 1, ...patch });

const row = (fields: Partial<SlurmJobDetail> = {}) => slurmJob({ id: 7, comment: id, ...fields });
async function find(jobId = id): Promise<Job> {
  const job = await jobs.find(jobId);
  if (job === undefined) throw new Error('the job is not there');
  return job;
}
const isUnchanged = async (job: Job) => {
  await tracker.run();
  await expect(find()).resolves.toEqual(job);
  expect(queue.take()).toEqual([]);
};
const claim = (slurmJobId = 7) => (runs.run(id).claim = slurmJobId);
const exit = (status = 0, slurmJobId = 7) =>
  (runs.run(id).exit = { slurmJobId, phase: 'run', status, endedAt: clock.now().getTime() / 1000 });
/** Slurm has answered at this moment, and knew the job. */
const answered = () => observations.recordTracking(clock.now());

describe('a round of TrackJobs', () => {
  it('asks Slurm nothing where nothing is followed', async () => {
    await expect(tracker.run()).resolves.toEqual({ followed: 0, answer: 'not asked' });
    expect(slurm.lists).toBe(0);
    await expect(observations.trackedAt()).resolves.toBeNull();
  });

  it('asks once for all jobs, and notes when it asked', async () => {
    for (let n = 1; n <= 20; n += 1) await jobIn({ state: 'queued' }, idOf('job', n));
    slurm.willList(
      ...Array.from({ length: 20 }, (_, index) =>
        slurmJob({ id: 7, comment: idOf('job', index + 1), reason: 'Priority' }),
      ),
    );
    const askedAt = clock.now();
    const list = slurm.list.bind(slurm);
    slurm.list = () => {
      clock.advance(1000);
      return list();
    };
    await expect(tracker.run()).resolves.toEqual({ followed: 20, answer: 'present' });
    expect(slurm.lists).toBe(1);
    await expect(observations.trackedAt()).resolves.toEqual(askedAt);
    await expect(find(idOf('job', 20))).resolves.toMatchObject({ reason: { code: 'Priority' } });
  });

  it('changes nothing where Slurm cannot be asked, however long', async () => {
    const job = await running();
    slurm.listAnswer = unknown('slurmctld is down');
    clock.advance(10 * FORGETS_MS);
    await expect(tracker.run()).resolves.toEqual({ followed: 1, answer: 'unknown' });
    await isUnchanged(job);
    await expect(observations.trackedAt()).resolves.toBeNull();
  });

  it('changes nothing before Slurm has answered for the first time', async () => {
    const job = await submitting();
    slurm.settingsAnswer = unknown('slurmctld is down');
    slurm.willList(row());
    await expect(tracker.run()).resolves.toEqual({ followed: 1, answer: 'unknown' });
    await isUnchanged(job);
    expect(slurm.lists).toBe(0);
  });

  it('goes on to the other jobs where one cannot be followed, and then says so', async () => {
    const bad = idOf('job', 1);
    const good = idOf('job', 2);
    await jobIn({ state: 'queued' }, bad);
    await jobIn({ state: 'queued' }, good);
    const change = jobs.change.bind(jobs);
    jobs.change = (job, patch, at) =>
      job.id === bad ? Promise.reject(new Error('this row cannot be stored')) : change(job, patch, at);
    slurm.willList(...[bad, good].map((comment) => slurmJob({ id: 7, comment, state: 'RUNNING' })));
    await expect(tracker.run()).rejects.toMatchObject({
      name: 'AggregateError',
      errors: [new Error('this row cannot be stored')],
    });
    await expect(find(good)).resolves.toMatchObject({ state: 'running' });
    // Whoever asks how old the answers are is not told that this one was taken in.
    await expect(observations.trackedAt()).resolves.toBeNull();
  });
});

describe('a job that waits in Slurm', () => {
  it('gets its reason, and what Slurm knows of it', async () => {
    await queued();
    slurm.willList(row({ reason: 'Resources' }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'queued',
      reason: { code: 'Resources' },
      slurm: { jobId: 7, submitTime: row().submitTime },
    });
  });

  it('is not changed by the same answer again', async () => {
    await queued();
    slurm.willList(row({ reason: 'Resources' }));
    await tracker.run();
    await isUnchanged(await find());
  });

  it('loses its reason where Slurm gives none', async () => {
    await queued({ reason: { code: 'X', message: 'x' } });
    slurm.willList(row({ reason: 'None' }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ reason: null });
  });

  it('waits again when it was requeued', async () => {
    await running({ slurm: { cluster: 'pi', jobId: 7, submitTime: clock.now(), nodeList: 'node01' } });
    slurm.willList(row({ state: 'REQUEUED', reason: 'BeginTime' }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'queued',
      startedAt: null,
      reason: { code: 'BeginTime' },
    });
  });
});

describe('a job that runs in Slurm', () => {
  const startTime = new Date('2026-03-01T12:01:00Z');
  const runningRow = () => row({ state: 'RUNNING', nodeList: 'node[01-02]', startTime });

  it('is running, since when and where', async () => {
    await queued({ reason: { code: 'X', message: 'x' } });
    slurm.willList(runningRow());
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'running',
      reason: null,
      startedAt: startTime,
      slurm: { nodeList: 'node[01-02]' },
    });
  });

  it('is not changed by the same answer again, nor while it ends', async () => {
    await queued();
    slurm.willList(runningRow());
    await tracker.run();
    const job = await find();
    await isUnchanged(job);
    slurm.willList({ ...runningRow(), state: 'COMPLETING' });
    await isUnchanged(job);
  });

  it('is left as it is in a state that only a newer Slurm has', async () => {
    const job = await running();
    slurm.willList(row({ state: 'HIBERNATING' }));
    await isUnchanged(job);
  });

  it('gets its nodes when Slurm names them later', async () => {
    await running();
    slurm.willList(runningRow());
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'running',
      slurm: { nodeList: 'node[01-02]' },
      startedAt: startTime,
    });
  });

  const afterRounds = async (count: number, everyMs: number) => {
    for (let round = 0; round < count; round += 1) {
      slurm.willList(runningRow());
      await tracker.run();
      clock.advance(everyMs);
    }
    return find();
  };

  it('has ended where its exit record is a minute old: slurmctld has forgotten that', async () => {
    await running();
    await afterRounds(1, 0);
    claim();
    exit(3);
    const endedAt = clock.now();
    await expect(afterRounds(2, 30_000)).resolves.toMatchObject({ state: 'running' });
    await expect(afterRounds(1, 0)).resolves.toMatchObject({
      ...{ state: 'collecting', endedAt, slurm: { jobId: 7 } },
      slurmEnd: { state: null, exitCode: 3 },
    });
    expect(queue.take()).toEqual([['collect', id]]);
  });

  it('runs on where it has no exit record, or none that can be read', async () => {
    await running();
    await expect(afterRounds(5, 60_000)).resolves.toMatchObject({ state: 'running' });
    runs.readExit = () => Promise.resolve(unknown('the storage is away'));
    await expect(afterRounds(5, 60_000)).resolves.toMatchObject({ state: 'running' });
  });

  it('is looked for in the storage every half minute, not in every round', async () => {
    await running();
    let asked = 0;
    const readExit = runs.readExit.bind(runs);
    runs.readExit = (jobId) => {
      asked += 1;
      return readExit(jobId);
    };
    await afterRounds(125, 500);
    expect(asked).toBe(2);
  });
});

describe('a job that has ended in Slurm', () => {
  const endTime = new Date('2026-03-01T12:05:00Z');

  it.each(['COMPLETED', 'FAILED', 'TIMEOUT', 'CANCELLED', 'NODE_FAIL', 'OUT_OF_MEMORY'])(
    'is collected: %s',
    async (state) => {
      await running();
      claim();
      slurm.willList(row({ state, reason: 'None', endTime, startTime: clock.now() }));
      await tracker.run();
      const job = await find();
      expect(job).toMatchObject({
        state: 'collecting',
        endedAt: endTime,
        slurmEnd: { state, exitCode: null, signal: null },
      });
      expect(job.lookAt?.getTime()).toBeGreaterThan(clock.now().getTime());
      expect(queue.take()).toEqual([['collect', id]]);
    },
  );

  it('is collected though the queue is down: the sweeper finds it', async () => {
    await running();
    claim();
    queue.down = true;
    slurm.willList(row({ state: 'COMPLETED', endTime }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting' });
  });

  it('has no start where it never started', async () => {
    await queued();
    slurm.willList(row({ state: 'CANCELLED', endTime, startTime: endTime }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', startedAt: null });
  });

  describe('that Slurm has given a node and cancelled, though nobody asked for it', () => {
    const cancelled = () => row({ state: 'CANCELLED', endTime: clock.now(), nodeList: 'node02' });
    const neverBegan = async (shown: SlurmJobDetail) => {
      clock.advance(65_001);
      slurm.willList(shown);
      await tracker.run();
      await expect(find()).resolves.toMatchObject({
        ...{ state: 'collecting', startedAt: null },
        slurmEnd: { state: 'NOT_STARTED' },
      });
    };

    it('never began where there is no claim, also after the time that one may come late', async () => {
      const job = await queued();
      const shown = cancelled();
      slurm.willList(shown);
      await isUnchanged(job);
      await neverBegan(shown);
    });

    it('never began where Slurm had shown it as running for a moment', async () => {
      await running();
      await neverBegan(cancelled());
    });

    it('was cancelled where its script had begun', async () => {
      await running();
      claim();
      slurm.willList(cancelled());
      await tracker.run();
      await expect(find()).resolves.toMatchObject({ slurmEnd: { state: 'CANCELLED' } });
    });

    it('was cancelled at once where Bramble had been asked to', async () => {
      await running({ cancelRequestedAt: clock.now() });
      slurm.willList(cancelled());
      await tracker.run();
      await expect(find()).resolves.toMatchObject({ slurmEnd: { state: 'CANCELLED' } });
    });
  });

  it('has its start where nobody looked while it ran', async () => {
    await queued();
    claim();
    slurm.willList(row({ state: 'COMPLETED', endTime, startTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', startedAt: clock.now() });
  });

  it('waits while the claim cannot be read: this may be a second copy', async () => {
    const job = await queued();
    runs.away = true;
    slurm.willList(row({ state: 'COMPLETED', endTime: clock.now() }));
    clock.advance(FORGETS_MS / 2);
    await isUnchanged(job);
  });

  it('is collected though the claim cannot be read, before Slurm forgets the job', async () => {
    await queued();
    runs.away = true;
    slurm.willList(row({ state: 'CANCELLED', endTime: clock.now() }));
    clock.advance(FORGETS_MS / 2 + 1);
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'CANCELLED' } });
  });
});

describe('a second copy of a job', () => {
  it('that has ended does not end the job: the claim names the one that works', async () => {
    await running({ slurm: { cluster: 'pi', jobId: 8, submitTime: clock.now(), nodeList: '' } });
    claim(7);
    slurm.willList(row({ id: 8, state: 'COMPLETED', endTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'running', slurm: { jobId: 7 } });
    expect(queue.take()).toEqual([]);
  });

  it('is not followed while the one that works is there', async () => {
    await running();
    claim(7);
    const job = await find();
    slurm.willList(row({ id: 8, state: 'COMPLETED' }), row({ state: 'RUNNING' }));
    await isUnchanged(job);
    slurm.willList(row({ id: 8, state: 'PENDING' }), row({ state: 'COMPLETED', endTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurm: { jobId: 7 } });
  });

  it('that alone is left does not hide how the one that worked has ended', async () => {
    await running();
    claim(7);
    exit(3, 7);
    slurm.willList(row({ id: 8, state: 'COMPLETED', endTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'collecting',
      slurm: { jobId: 7 },
      slurmEnd: { state: null },
    });
  });
});

describe('a job of another account with the comment', () => {
  const theirs = { userId: 1002, state: 'COMPLETED', endTime: new Date('2026-03-01T12:00:00Z') };

  it('is not taken for the job', async () => {
    const job = await submitting();
    slurm.willList(row(theirs));
    await isUnchanged(job);
  });

  it('does not hide the job', async () => {
    await queued();
    slurm.willList(row({ ...theirs, id: 6 }), row({ state: 'RUNNING', startTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'running', slurm: { jobId: 7 } });
  });

  it('is not asked how the job ended', async () => {
    const job = await running();
    slurm.shown.set(7, present(row(theirs)));
    await isUnchanged(job);
  });
});

describe('a job whose submission has no known outcome', () => {
  it('is found by its comment, and is then followed', async () => {
    await submitting();
    slurm.willList(row({ state: 'RUNNING', nodeList: 'node01', startTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'running',
      slurm: { cluster: 'pi', jobId: 7, submitTime: row().submitTime },
      submittedAt: row().submitTime,
      submitIntentAt: null,
      lookAt: null,
    });
  });

  it('may have ended already', async () => {
    await submitting();
    claim();
    slurm.willList(row({ state: 'COMPLETED', endTime: clock.now() }));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'COMPLETED' } });
  });

  it('is looked at by a worker at once where it is to be cancelled', async () => {
    await submitting({ cancelRequestedAt: clock.now() });
    slurm.willList(row());
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'queued', lookAt: clock.now() });
  });

  it('is left to its worker where Slurm does not show it', async () => {
    const job = await submitting();
    clock.advance(10 * FORGETS_MS);
    await isUnchanged(job);
  });

  it('is left to the worker that has settled it at the same moment', async () => {
    await submitting();
    slurm.willList(row({ state: 'RUNNING' }));
    const list = slurm.list.bind(slurm);
    slurm.list = async () => {
      await changeJob(jobs, clock, id, () => ({ state: 'failed', submitIntentAt: null }));
      return list();
    };
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'failed' });
  });
});

describe('a job that Slurm does not show any more', () => {
  beforeEach(() => slurm.willList());

  it.each([
    [0, 0, null],
    [3, 3, null],
    [143, null, 15],
  ])('is collected where it has left an exit record with status %i', async (status, exitCode, signal) => {
    await running();
    exit(status);
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'collecting',
      endedAt: clock.now(),
      slurmEnd: { state: null, reason: '', exitCode, signal },
    });
    expect(queue.take()).toEqual([['collect', id]]);
  });

  it('is collected where Slurm still has its record', async () => {
    await running();
    claim();
    slurm.shown.set(7, present(row({ state: 'TIMEOUT', endTime: clock.now() })));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'TIMEOUT' } });
  });

  it('is left alone where its record says that it goes on', async () => {
    const job = await running();
    slurm.shown.set(7, present(row({ state: 'RUNNING' })));
    await isUnchanged(job);
  });

  it('is left alone while any of those who know cannot be asked', async () => {
    const job = await running();
    claim();
    clock.advance(10 * FORGETS_MS);
    runs.away = true;
    await isUnchanged(job);
    runs.away = false;
    slurm.shown.set(7, unknown('scontrol timed out'));
    await isUnchanged(job);
    slurm.shown.clear();
    runs.readClaim = async () => unknown('the claim cannot be read');
    await isUnchanged(job);
  });

  it("is not taken for somebody else's job that has its number now", async () => {
    await running();
    exit();
    slurm.shown.set(7, present(row({ comment: 'theirs', state: 'RUNNING' })));
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: null } });
  });

  it('and had begun is given up after some time, but not before its record may still come', async () => {
    const job = await running();
    claim();
    await isUnchanged(job);
    clock.advance(29_999);
    await isUnchanged(job);
    clock.advance(1);
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'LOST' } });
  });

  it('and comes back is missed anew the next time', async () => {
    const job = await running();
    claim();
    await isUnchanged(job);
    clock.advance(20_000);
    slurm.willList(row({ state: 'RUNNING' }));
    await tracker.run();
    clock.advance(20_000);
    slurm.willList();
    await isUnchanged(await find());
  });

  it('and had begun, but left no claim, is given up too', async () => {
    await running();
    await answered();
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'running' });
    clock.advance(30_000);
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'LOST' } });
  });

  it('and waited is submitted again, where Slurm has lost it', async () => {
    await queued({ submittedAt: clock.now() });
    await answered();
    clock.advance(FORGETS_MS - 1);
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'submitting',
      slurm: null,
      submittedAt: null,
      submitIntentAt: null,
      lookAt: clock.now(),
    });
  });

  it.each([
    ['Slurm has not been asked for so long that it may have ended', FORGETS_MS],
    ['Slurm has never been asked', undefined],
  ])('and waited has failed, where %s', async (_, afterMs) => {
    await queued();
    if (afterMs !== undefined) {
      await answered();
      clock.advance(afterMs);
    }
    await tracker.run();
    await expect(find()).resolves.toMatchObject({
      state: 'failed',
      reason: { code: 'LostBySlurm' },
      lookAt: null,
    });
  });

  it('and waited is cancelled, where that was asked for', async () => {
    await queued({ cancelRequestedAt: clock.now() });
    await answered();
    await tracker.run();
    await expect(find()).resolves.toMatchObject({ state: 'collecting', slurmEnd: { state: 'CANCELLED' } });
  });

  it('and has begun is not cancelled without evidence, though that was asked for', async () => {
    const job = await queued({ cancelRequestedAt: clock.now() });
    claim();
    await isUnchanged(job);
  });
});
