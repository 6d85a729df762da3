import { beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { jobRequest, newJob } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryArtifactStore } from '../../../../test/fakes/memory-artifact-store.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { MemoryRunDirectories } from '../../../../test/fakes/memory-run-directories.ts';
import { ALICE, ScriptedSlurm, slurmJob } from '../../../../test/fakes/scripted-slurm.ts';
import { absent, present, unknown } from '../vocabulary/answer.ts';
import { Problem } from '../vocabulary/problem.ts';
import { BringToSlurm } from './bring-to-slurm.ts';
import { changeJob } from './change-job.ts';
import type { Job, JobPatch } from './job.ts';
import { JOB_STATES, type JobState } from './job-state.ts';
import type { NewJob } from './job-store.ts';
import type { SubmitOutcome } from './slurm-controller.ts';

const { id } = newJob();
let clock: ManualClock;
let jobs: MemoryJobStore;
let artifacts: MemoryArtifactStore;
let runs: MemoryRunDirectories;
let slurm: ScriptedSlurm;
let bring: BringToSlurm;
let told: [string, number][];

beforeEach(() => {
  clock = new ManualClock();
  jobs = new MemoryJobStore();
  artifacts = new MemoryArtifactStore();
  runs = new MemoryRunDirectories();
  slurm = new ScriptedSlurm();
  told = [];
  const onSubmitted = (kind: SubmitOutcome['kind'], seconds: number) => told.push([kind, seconds]);
  bring = new BringToSlurm({ jobs, artifacts, runs, slurm, clock, onSubmitted });
});

const insert = async (fields: Partial<NewJob> = {}): Promise<Job> => (await jobs.insert(newJob(fields))).job;
const set = (patch: JobPatch) => changeJob(jobs, clock, id, () => patch);
const requestCancel = () => set({ cancelRequestedAt: clock.now() });
async function find(): Promise<Job> {
  const job = await jobs.find(id);
  if (job === undefined) throw new Error('the job is not there');
  return job;
}
const states = async () =>
  (await jobs.eventsAfter(id, 0, 100)).filter(({ type }) => type === 'state').map(({ state }) => state);

const SUBMITTED: SubmitOutcome = { kind: 'submitted', slurmJobId: 7, cluster: null };
const LATER: SubmitOutcome = {
  kind: 'later',
  code: 'AssocMaxSubmitJobLimit',
  message: 'The account has submitted enough.',
};
const UNCLEAR: SubmitOutcome = { kind: 'unclear', because: 'sbatch timed out' };
const REFUSED: SubmitOutcome = {
  kind: 'refused',
  code: 'InvalidPartition',
  message: 'There is no such partition.',
};

/** A job whose attempt began just now, with an outcome that nobody knows. */
async function outstanding(): Promise<void> {
  await insert();
  slurm.willAnswer(UNCLEAR);
  await bring.run(id);
  slurm.lists = 0;
}

describe('BringToSlurm', () => {
  it('takes a job from accepted to queued, with its script and its account', async () => {
    const { script } = await insert();
    slurm.willAnswer(SUBMITTED);
    await expect(bring.run(id)).resolves.toBeUndefined();
    await expect(find()).resolves.toMatchObject({
      state: 'queued',
      reason: null,
      slurm: { cluster: 'pi', jobId: 7, submitTime: null, nodeList: '' },
      submittedAt: clock.now(),
      submitIntentAt: null,
      submitAttempts: 1,
      lookAt: null,
    });
    await expect(states()).resolves.toEqual(['accepted', 'staging', 'submitting', 'queued']);
    expect(slurm.submissions).toEqual([{ script, account: ALICE }]);
    expect(told).toEqual([['submitted', 0]]);
  });

  it('keeps the cluster that sbatch names', async () => {
    await insert();
    slurm.willAnswer({ ...SUBMITTED, cluster: 'other' });
    await bring.run(id);
    await expect(find()).resolves.toMatchObject({ slurm: { cluster: 'other' } });
  });

  it.each(JOB_STATES.filter((state) => !['accepted', 'staging', 'submitting'].includes(state)))(
    'leaves a job alone that is %s',
    async (state) => {
      await insert();
      const job = await set({ state });
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toEqual(job);
      expect(slurm.submissions).toEqual([]);
    },
  );

  it('leaves alone what is not there', async () => {
    await expect(bring.run(idOf('job', 9))).resolves.toBeUndefined();
  });

  describe('staging', () => {
    it('puts inputs and the source in place, with modes and digests', async () => {
      const artifact = idOf('art', 1);
      const sha256 = 'f'.repeat(64);
      await artifacts.insert({
        id: artifact,
        ownerId: 'x',
        name: 'n',
        size: 1,
        sha256,
        createdAt: clock.now(),
      });
      const inputs = [
        { path: 'a.txt', content: 'text' },
        { path: 'bin/run', artifact, mode: '0755' },
      ];
      await insert({ request: jobRequest({ mpi: { source: { name: 'w.c', content: 'int x;' } }, inputs }) });
      slurm.willAnswer(SUBMITTED);
      await bring.run(id);
      expect(runs.run(id)).toMatchObject({
        account: ALICE,
        files: [
          { path: 'a.txt', mode: 0o644, source: { text: 'text' } },
          { path: 'bin/run', mode: 0o755, source: { sha256 } },
          { path: 'w.c', mode: 0o644, source: { text: 'int x;' } },
        ],
      });
    });

    it('fails the job where an artifact is gone', async () => {
      await insert({
        request: jobRequest({ command: ['a'], inputs: [{ path: 'data', artifact: idOf('art', 1) }] }),
      });
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({
        state: 'failed',
        reason: { code: 'StagingFailed', message: 'The artifact of "data" is not there any more.' },
        lookAt: null,
        endedAt: clock.now(),
      });
      expect(slurm.submissions).toEqual([]);
    });

    it('fails the job where the storage refuses its files', async () => {
      await insert();
      runs.refusal = new Problem('digest_mismatch', 'The content is damaged.');
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({
        state: 'failed',
        reason: { message: 'The content is damaged.' },
      });
    });

    it('is tried again where the storage is away, which fails nothing', async () => {
      await insert();
      runs.away = true;
      await expect(bring.run(id)).rejects.toThrow('the storage is away');
      await expect(find()).resolves.toMatchObject({ state: 'staging' });
      runs.away = false;
      slurm.willAnswer(SUBMITTED);
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued' });
    });
  });

  describe('the account', () => {
    it('that the cluster does not have fails the job', async () => {
      await insert();
      slurm.accounts.set('alice', absent);
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({
        state: 'failed',
        reason: { code: 'AccountRefused' },
        lookAt: null,
      });
    });

    it.each([0, 999])('of the system, with uid %i, fails the job before anything is staged', async (uid) => {
      await insert();
      slurm.accounts.set('alice', present({ ...ALICE, uid }));
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'failed', reason: { code: 'AccountRefused' } });
      expect(runs.isStaged(id)).toBe(false);
    });

    it('that became one of the system after staging fails the job before it is submitted', async () => {
      await insert();
      await set({ state: 'submitting' });
      slurm.accounts.set('alice', present({ ...ALICE, uid: 0 }));
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'failed', reason: { code: 'AccountRefused' } });
      expect(slurm.submissions).toEqual([]);
    });

    it.each<JobState>(['staging', 'submitting'])(
      'that cannot be looked up leaves the job %s, for later',
      async (state) => {
        await insert();
        await set({ state });
        slurm.accounts.set('alice', unknown('ssh timed out'));
        await expect(bring.run(id)).resolves.toEqual({ afterMs: 5_000 });
        await expect(find()).resolves.toMatchObject({ state, submitAttempts: 0, submitIntentAt: null });
      },
    );
  });

  describe('what sbatch answers', () => {
    it('refused: fails the job with its reason', async () => {
      await insert();
      slurm.willAnswer(REFUSED);
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({
        state: 'failed',
        reason: { code: REFUSED.code, message: REFUSED.message },
        submitIntentAt: null,
        lookAt: null,
      });
    });

    it('later: keeps the job, says why, and tries again after longer and longer', async () => {
      await insert();
      const pauses: (number | undefined)[] = [];
      for (let attempt = 0; attempt < 9; attempt += 1) {
        slurm.willAnswer(LATER);
        const next = await bring.run(id);
        pauses.push(next?.afterMs);
        await expect(find()).resolves.toMatchObject({
          state: 'submitting',
          reason: { code: LATER.code, message: LATER.message },
          submitIntentAt: null,
          submitAttempts: attempt + 1,
          lookAt: clock.in(next?.afterMs ?? 0),
        });
        clock.advance(next?.afterMs ?? 0);
      }
      expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1000));
      slurm.willAnswer(SUBMITTED);
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', reason: null, submitAttempts: 10 });
    });

    it('unclear: keeps the intent, says so, and looks the job up later', async () => {
      await insert();
      slurm.willAnswer(UNCLEAR);
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 5_000 });
      await expect(find()).resolves.toMatchObject({
        state: 'submitting',
        reason: { code: 'SubmissionUnclear', message: expect.stringContaining('sbatch timed out') as string },
        submitIntentAt: clock.now(),
        submitAttempts: 1,
      });
    });

    it('is not waited for where the intent took so long to store that others may have given it up', async () => {
      await insert();
      const change = jobs.change.bind(jobs);
      let slow = true;
      jobs.change = async (job, patch, at) => {
        const changed = await change(job, patch, at);
        if (patch.submitIntentAt instanceof Date && slow) {
          slow = false;
          clock.advance(5_001);
        }
        return changed;
      };
      slurm.willAnswer(SUBMITTED);
      await bring.run(id);
      expect(slurm.submissions).toHaveLength(1);
      await expect(find()).resolves.toMatchObject({ state: 'queued', submitAttempts: 2 });
    });

    it('nothing, because the worker dies: the intent is there, and is not forgotten', async () => {
      await insert();
      const startedAt = clock.now();
      slurm.outcomes.push(async () => {
        await expect(find()).resolves.toMatchObject({
          submitIntentAt: startedAt,
          submitAttempts: 1,
          lookAt: clock.in(65_000),
        });
        throw new Error('the worker was killed');
      });
      await expect(bring.run(id)).rejects.toThrow('killed');
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 65_100 });
      expect(slurm.submissions).toHaveLength(1);
    });
  });

  describe('before Slurm has answered for the first time', () => {
    const silent = unknown('slurmctld is down');

    it('makes the job ready, says why it waits, and hands nothing over', async () => {
      await insert();
      slurm.settingsAnswer = silent;
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 5_000 });
      const waiting = await find();
      expect(waiting).toMatchObject({ state: 'submitting', submitIntentAt: null, submitAttempts: 0 });
      expect(waiting.reason).toEqual({
        code: 'ControllerUnreachable',
        message:
          'Slurm has not answered yet, and the job will be handed over when it does: slurmctld is down',
      });
      await bring.run(id);
      await expect(find()).resolves.toEqual(waiting);
      expect(slurm.submissions).toEqual([]);
    });

    it('ends the job where that is asked for', async () => {
      await insert();
      slurm.settingsAnswer = silent;
      await bring.run(id);
      await requestCancel();
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'cancelled' });
    });

    it('does not settle what another worker has begun', async () => {
      await outstanding();
      const answer = slurm.settingsAnswer;
      slurm.settingsAnswer = silent;
      runs.run(id).claim = 9;
      const before = await find();
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 5_000 });
      await expect(find()).resolves.toEqual(before);
      slurm.settingsAnswer = answer;
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { cluster: 'pi', jobId: 9 } });
    });
  });

  describe('an attempt whose outcome is not known', () => {
    beforeEach(outstanding);

    it('is settled by the comment of a job in Slurm', async () => {
      slurm.willList(slurmJob({ id: 8, comment: idOf('job', 2) }), slurmJob({ id: 9, comment: id }));
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 9 },
        submitIntentAt: null,
      });
    });

    it('is settled by the claim, though Slurm has forgotten the job', async () => {
      runs.run(id).claim = 9;
      slurm.willList();
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 9 } });
    });

    it('is settled by the claim, though Slurm cannot be asked', async () => {
      runs.run(id).claim = 9;
      slurm.listAnswer = unknown('slurmctld is down');
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 9 } });
    });

    it('is settled by the comment, though the storage cannot be asked', async () => {
      runs.away = true;
      slurm.willList(slurmJob({ id: 9, comment: id }));
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 9 } });
    });

    it('is not repeated while the call could still have an effect', async () => {
      clock.advance(64_999);
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 101 });
      await expect(find()).resolves.toMatchObject({ state: 'submitting', submitAttempts: 1 });
      expect(slurm.submissions).toHaveLength(1);
    });

    it('is repeated when Slurm and the storage both deny the job after that', async () => {
      clock.advance(65_000);
      slurm.willAnswer(SUBMITTED);
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 7 },
        submitAttempts: 2,
      });
      expect(slurm.submissions).toHaveLength(2);
    });

    it('is not repeated because of an answer to a question that was asked before that', async () => {
      clock.advance(64_999);
      const list = slurm.list.bind(slurm);
      slurm.list = async () => {
        clock.advance(10_000);
        return list();
      };
      await bring.run(id);
      expect(slurm.submissions).toHaveLength(1);
    });

    it.each([
      ['Slurm', () => (slurm.listAnswer = unknown('slurmctld is down'))],
      ['the storage', () => (runs.away = true)],
    ])('is not repeated while %s cannot be asked', async (_, takeAway) => {
      takeAway();
      clock.advance(3_600_000);
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 5_000 });
      await expect(find()).resolves.toMatchObject({ state: 'submitting', submitAttempts: 1 });
      expect(slurm.submissions).toHaveLength(1);
    });

    it('is not repeated where the job begins, ends and is forgotten between two questions', async () => {
      clock.advance(65_000);
      const list = slurm.list.bind(slurm);
      slurm.list = async () => {
        const answer = await list();
        runs.run(id).claim = 9;
        return answer;
      };
      await bring.run(id);
      expect(slurm.submissions).toHaveLength(1);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 9 } });
    });
  });

  describe('a cancel request', () => {
    it.each<JobState>(['accepted', 'staging', 'submitting'])(
      'ends a job that is %s before Slurm hears of it',
      async (state) => {
        await insert();
        if (state !== 'accepted') await set({ state });
        await requestCancel();
        await bring.run(id);
        await expect(find()).resolves.toMatchObject({
          state: 'cancelled',
          reason: { code: 'Cancelled' },
          lookAt: null,
        });
        expect(slurm.submissions).toEqual([]);
      },
    );

    it('that comes while the job is staged ends it before it is submitted', async () => {
      await insert();
      const stage = runs.stage.bind(runs);
      runs.stage = async (...given) => {
        await stage(...given);
        await requestCancel();
      };
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'cancelled' });
      expect(slurm.submissions).toEqual([]);
    });

    it('that comes between the look at the account and the intent is seen before sbatch', async () => {
      await insert();
      await set({ state: 'submitting' });
      const account = slurm.account.bind(slurm);
      slurm.account = async (name) => {
        await requestCancel();
        slurm.account = account;
        return account(name);
      };
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'cancelled' });
      expect(slurm.submissions).toEqual([]);
    });

    it('that comes during sbatch is passed on at once when Slurm has taken the job', async () => {
      await insert();
      slurm.outcomes.push(async () => {
        await requestCancel();
        return SUBMITTED;
      });
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'queued', lookAt: clock.now() });
    });

    it('that comes during sbatch ends the job at once when Slurm has not taken it', async () => {
      await insert();
      slurm.outcomes.push(async () => {
        await requestCancel();
        return LATER;
      });
      await expect(bring.run(id)).resolves.toBeUndefined();
      await expect(find()).resolves.toMatchObject({ state: 'cancelled' });
      expect(slurm.submissions).toHaveLength(1);
    });

    it('that comes during sbatch does not hide that Slurm has refused the job', async () => {
      await insert();
      slurm.outcomes.push(async () => {
        await requestCancel();
        return REFUSED;
      });
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'failed', reason: { code: 'InvalidPartition' } });
    });

    it('waits while it is not known whether Slurm has the job, and then ends it', async () => {
      await outstanding();
      await requestCancel();
      clock.advance(1000);
      await expect(bring.run(id)).resolves.toEqual({ afterMs: 64_100 });
      await expect(find()).resolves.toMatchObject({ state: 'submitting' });
      clock.advance(64_100);
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({ state: 'cancelled' });
      expect(slurm.submissions).toHaveLength(1);
    });

    it('goes to Slurm when the job turns out to be there', async () => {
      await outstanding();
      await requestCancel();
      slurm.willList(slurmJob({ id: 9, comment: id }));
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 9 },
        lookAt: clock.now(),
      });
    });
  });

  describe('with others at work on the same job', () => {
    const adopt = (jobId: number) =>
      set({
        state: 'queued',
        slurm: { cluster: 'pi', jobId, submitTime: clock.now(), nodeList: '' },
        submitIntentAt: null,
        lookAt: null,
      });

    it.each<[string, SubmitOutcome]>([
      ['submitted', SUBMITTED],
      ['refused', REFUSED],
      ['later', LATER],
      ['unclear', UNCLEAR],
    ])('leaves what the tracker has found, when sbatch then answers %s', async (_, outcome) => {
      await insert();
      slurm.outcomes.push(async () => {
        await adopt(9);
        return outcome;
      });
      await bring.run(id);
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 9 },
        reason: null,
        lookAt: null,
      });
    });

    it('submits once, however many workers begin at once', async () => {
      await insert();
      slurm.willAnswer(SUBMITTED);
      await Promise.all(Array.from({ length: 8 }, () => bring.run(id)));
      expect(slurm.submissions).toHaveLength(1);
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 7 },
        submitAttempts: 1,
      });
    });

    it('submits nothing where the tracker finds the job between two looks', async () => {
      await outstanding();
      clock.advance(65_000);
      const list = slurm.list.bind(slurm);
      slurm.list = async () => {
        await adopt(9);
        return list();
      };
      await bring.run(id);
      expect(slurm.submissions).toHaveLength(1);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 9 } });
    });

    it('gives no time for another look where the tracker has found the job', async () => {
      await insert();
      slurm.outcomes.push(async () => {
        await adopt(9);
        return UNCLEAR;
      });
      await expect(bring.run(id)).resolves.toBeUndefined();
    });
  });

  describe('an answer of sbatch that comes after its attempt was given up', () => {
    /** The worker of the first attempt is held up; a second one submits again, and waits for its own answer. */
    async function twoAttempts() {
      await insert();
      const [first, second] = [
        Promise.withResolvers<SubmitOutcome>(),
        Promise.withResolvers<SubmitOutcome>(),
      ];
      const [firstCalled, secondCalled] = [
        Promise.withResolvers<undefined>(),
        Promise.withResolvers<undefined>(),
      ];
      slurm.outcomes.push(
        () => (firstCalled.resolve(undefined), first.promise),
        () => (secondCalled.resolve(undefined), second.promise),
      );
      const firstRun = bring.run(id);
      await firstCalled.promise;
      clock.advance(65_000);
      const secondRun = bring.run(id);
      await secondCalled.promise;
      return {
        answerFirst: (outcome: SubmitOutcome) => (first.resolve(outcome), firstRun),
        answerSecond: (outcome: SubmitOutcome) => (second.resolve(outcome), secondRun),
      };
    }

    it.each<[string, SubmitOutcome]>([
      ['refused', REFUSED],
      ['later', LATER],
      ['unclear', UNCLEAR],
    ])('says nothing of the next attempt: %s', async (_, outcome) => {
      const { answerFirst, answerSecond } = await twoAttempts();
      const before = await find();
      await answerFirst(outcome);
      await expect(find()).resolves.toEqual(before);
      await answerSecond(SUBMITTED);
      await expect(find()).resolves.toMatchObject({
        state: 'queued',
        slurm: { jobId: 7 },
        submitAttempts: 2,
      });
    });

    it('is taken where it says that Slurm has the job', async () => {
      const { answerFirst, answerSecond } = await twoAttempts();
      await answerFirst(SUBMITTED);
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 7 } });
      await answerSecond({ ...SUBMITTED, slurmJobId: 8 });
      await expect(find()).resolves.toMatchObject({ state: 'queued', slurm: { jobId: 7 } });
    });
  });
});
