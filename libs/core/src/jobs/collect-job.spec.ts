import { beforeEach, describe, expect, it } from 'vitest';
import { existing } from '../../../../test/fakes/existing.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { MemoryRunDirectories } from '../../../../test/fakes/memory-run-directories.ts';
import { ALICE, ScriptedSlurm, slurmJob } from '../../../../test/fakes/scripted-slurm.ts';
import { present, unknown } from '../vocabulary/answer.ts';
import { CollectJob } from './collect-job.ts';
import type { Job, JobPatch } from './job.ts';
import { JOB_STATES } from './job-state.ts';

const { id } = newJob();
let clock: ManualClock;
let jobs: MemoryJobStore;
let runs: MemoryRunDirectories;
let slurm: ScriptedSlurm;
let collect: CollectJob;

beforeEach(() => {
  clock = new ManualClock();
  jobs = new MemoryJobStore();
  runs = new MemoryRunDirectories();
  slurm = new ScriptedSlurm();
  collect = new CollectJob(jobs, runs, slurm, clock);
});

async function ended(state: string | null, patch: JobPatch = {}): Promise<Job> {
  const { job } = await jobs.insert(newJob({ createdAt: clock.in(-60_000) }));
  await runs.stage(id, [], ALICE);
  return existing(
    await jobs.change(
      job,
      {
        state: 'collecting',
        accountUid: ALICE.uid,
        slurm: { cluster: 'pi', jobId: 7, submitTime: clock.now(), nodeList: 'node01' },
        slurmEnd: { state, reason: 'None', exitCode: null, signal: null },
        startedAt: clock.in(-30_000),
        endedAt: clock.now(),
        lookAt: clock.now(),
        ...patch,
      },
      clock.now(),
    ),
  );
}
const find = async () => existing(await jobs.find(id));
const exit = (status: number) =>
  (runs.run(id).exit = { slurmJobId: 7, phase: 'run', status, endedAt: clock.now().getTime() / 1000 });

describe('CollectJob', () => {
  it('records a job that completed, with its outputs', async () => {
    const { endedAt, startedAt } = await ended('COMPLETED');
    const outputs = [{ path: 'out.csv', size: 3, sha256: 'f'.repeat(64) }];
    Object.assign(runs.run(id), { outputs, logs: { stdout: 'fine\n', stderr: 'a warning\n' } });
    exit(0);
    await expect(collect.run(id)).resolves.toBeUndefined();
    await expect(find()).resolves.toMatchObject({
      state: 'completed',
      exitCode: 0,
      signal: null,
      reason: null,
      outputs,
      lastLines: null,
      slurmEnd: null,
      lookAt: null,
      startedAt,
      endedAt,
    });
  });

  it('records a job that failed, with its status and its last words', async () => {
    await ended('FAILED');
    Object.assign(runs.run(id), { logs: { stdout: 'fine\n', stderr: 'it broke\n\n' } });
    exit(3);
    await collect.run(id);
    await expect(find()).resolves.toMatchObject({
      state: 'failed',
      exitCode: 3,
      reason: { code: 'NonZeroExitCode' },
      lastLines: 'fine\nit broke',
      outputs: [],
    });
  });

  it.each([
    ['both streams', { stdout: 'out\n', stderr: 'err\n' }, 'out\nerr'],
    ['stdout where stderr is blank', { stdout: 'out\n', stderr: ' \n' }, 'out'],
    ['stderr where stdout is empty', { stdout: '', stderr: 'err' }, 'err'],
    ['nothing where nothing was written', { stdout: '\n', stderr: '' }, null],
    [
      'twenty lines of each at most',
      { stdout: 'o\n'.repeat(50), stderr: 'e\n'.repeat(50) },
      `${'o\n'.repeat(20)}${'e\n'.repeat(20)}`.trimEnd(),
    ],
    ['8 KiB of each at most', { stdout: 'o'.repeat(20_000), stderr: 'e' }, `${'o'.repeat(8192)}\ne`],
  ])('keeps as last lines those of %s', async (_, logs, lastLines) => {
    await ended('FAILED');
    Object.assign(runs.run(id), { logs });
    exit(1);
    await collect.run(id);
    await expect(find()).resolves.toMatchObject({ lastLines });
  });

  describe('an exit record', () => {
    it.each(['COMPLETED', 'FAILED'])(
      'may come late to a job that is %s, and is waited for',
      async (state) => {
        const job = await ended(state);
        clock.advance(64_999);
        await expect(collect.run(id)).resolves.toEqual({ afterMs: 2_000 });
        await expect(find()).resolves.toEqual(job);
        exit(state === 'FAILED' ? 4 : 0);
        await expect(collect.run(id)).resolves.toBeUndefined();
        await expect(find()).resolves.toMatchObject({ exitCode: state === 'FAILED' ? 4 : 0 });
      },
    );

    it('is asked for again where it was not there in time, however late that is noticed', async () => {
      await ended('FAILED');
      const readExit = runs.readExit.bind(runs);
      runs.readExit = async (jobId) => {
        const answer = await readExit(jobId);
        clock.advance(90_000);
        return answer;
      };
      await expect(collect.run(id)).resolves.toEqual({ afterMs: 2_000 });
    });

    it("that does not come leaves the word to Slurm's own record", async () => {
      await ended('FAILED');
      clock.advance(65_000);
      slurm.shown.set(7, present(slurmJob({ id: 7, comment: id, exitCode: 0, signal: 9 })));
      await collect.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'failed', exitCode: null, signal: 9 });
    });

    it('that does not come is made up for by nothing where Slurm has forgotten the job, or gave its number away', async () => {
      await ended('FAILED');
      clock.advance(65_000);
      slurm.shown.set(7, present(slurmJob({ id: 7, comment: 'theirs', exitCode: 5 })));
      await collect.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'failed', exitCode: null, signal: null });
    });

    it.each(['CANCELLED', 'TIMEOUT', 'NODE_FAIL', 'OUT_OF_MEMORY', 'LOST'])(
      'is not waited for where a job was killed: %s',
      async (state) => {
        await ended(state);
        await expect(collect.run(id)).resolves.toBeUndefined();
        expect((await find()).lookAt).toBeNull();
      },
    );

    it('speaks alone where Slurm has forgotten the job, and gives its end', async () => {
      await ended(null, { endedAt: null, startedAt: null, cancelRequestedAt: clock.now() });
      exit(143);
      runs.run(id).start = { slurmJobId: 7, startedAt: clock.in(-10_000).getTime() / 1000 };
      const endedAt = clock.now();
      clock.advance(5_000);
      await collect.run(id);
      await expect(find()).resolves.toMatchObject({
        state: 'cancelled',
        signal: 15,
        endedAt,
        startedAt: clock.in(-15_000),
      });
    });
  });

  describe('what cannot be asked', () => {
    it('is asked again later, and changes nothing: the exit record', async () => {
      const job = await ended('COMPLETED');
      clock.advance(599_999);
      runs.readExit = async () => unknown('it cannot be understood');
      await expect(collect.run(id)).resolves.toEqual({ afterMs: 2_000 });
      await expect(find()).resolves.toEqual(job);
    });

    it('is not waited for without end: Slurm has the word where an exit record stays unreadable', async () => {
      await ended('FAILED');
      clock.advance(600_000);
      runs.readExit = async () => unknown('it cannot be understood');
      slurm.shown.set(7, present(slurmJob({ id: 7, comment: id, exitCode: 3 })));
      await expect(collect.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({ state: 'failed', exitCode: 3 });
    });

    it('is asked again later, and changes nothing: Slurm', async () => {
      const job = await ended('FAILED');
      clock.advance(65_000);
      slurm.shown.set(7, unknown('scontrol timed out'));
      await expect(collect.run(id)).resolves.toEqual({ afterMs: 2_000 });
      await expect(find()).resolves.toEqual(job);
    });

    it('leaves the job where it is when the outputs cannot be read', async () => {
      const job = await ended('COMPLETED');
      exit(0);
      runs.collectOutputs = () => Promise.reject(new Error('stale file handle'));
      await expect(collect.run(id)).rejects.toThrow('stale');
      await expect(find()).resolves.toEqual(job);
    });
  });

  it('looks again at once where the job changes at the same moment', async () => {
    await ended('COMPLETED');
    exit(0);
    const collectOutputs = runs.collectOutputs.bind(runs);
    runs.collectOutputs = async (job) => {
      await jobs.change(await find(), { cancelRequestedAt: clock.now() }, clock.now());
      runs.collectOutputs = collectOutputs;
      return collectOutputs(job);
    };
    await expect(collect.run(id)).resolves.toEqual({ afterMs: 0 });
    await collect.run(id);
    await expect(find()).resolves.toMatchObject({ state: 'completed' });
  });

  it('ends a job once, however many workers are at it', async () => {
    await ended('COMPLETED');
    exit(0);
    await Promise.all(Array.from({ length: 5 }, () => collect.run(id)));
    const events = await jobs.eventsAfter(id, 0, 100);
    expect(events.map(({ state }) => state)).toEqual(['accepted', 'collecting', 'completed']);
  });

  it.each(JOB_STATES.filter((state) => state !== 'collecting'))(
    'leaves a job alone that is %s',
    async (state) => {
      const job = await ended('COMPLETED', { state });
      await expect(collect.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toEqual(job);
    },
  );
});
