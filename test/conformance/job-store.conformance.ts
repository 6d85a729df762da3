import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobPatch, JobProgress } from '#core/jobs/job';
import { FINAL_STATES, isFinal, JOB_STATES, type JobState } from '#core/jobs/job-state';
import { type JobFilter, type JobStore, type NewJob, PUT_OFF_MS } from '#core/jobs/job-store';
import { idOf } from '../fakes/counting-ids.ts';
import { jobRequest, newJob as newJobOf } from '../fakes/job-requests.ts';

export interface JobStoreUnderTest {
  /** Holds no job yet. */
  store: JobStore;
  /** Users to whom jobs may belong. */
  ownerIds: readonly [alice: string, bob: string];
  close(): Promise<void>;
}

const START = Date.parse('2026-03-01T12:00:00.123Z');
/** Some seconds after all jobs begin. */
const at = (seconds: number): Date => new Date(START + seconds * 1000);

const REASON = { code: 'Resources', message: 'Waits for nodes — "ä" \\ \n 🍓' };

/** What every `JobStore` owes to those who use it. */
export function describeJobStore(
  name: string,
  { create }: { create: () => Promise<JobStoreUnderTest> },
): void {
  describe(name, () => {
    let tested: JobStoreUnderTest;
    let store: JobStore;
    let alice: string;
    let bob: string;
    let made: number;

    beforeEach(async () => {
      tested = await create();
      store = tested.store;
      [alice, bob] = tested.ownerIds;
      made = 0;
    });
    afterEach(() => tested.close());

    function newJob(fields: Partial<NewJob> = {}): NewJob {
      made += 1;
      return newJobOf({ id: idOf('job', made), ownerId: alice, createdAt: at(made), ...fields });
    }
    const insert = async (fields: Partial<NewJob> = {}): Promise<Job> =>
      (await store.insert(newJob(fields))).job;
    async function change(job: Job, patch: JobPatch, when = at(60)): Promise<Job> {
      const changed = await store.change(job, patch, when);
      if (changed === undefined) throw new Error('somebody else changed the job first');
      return changed;
    }
    /** A job in any state, as if it had come there in one step. */
    const insertIn = async (state: JobState, patch: JobPatch = {}) =>
      change(await insert(), { ...patch, state });
    const events = (job: Job, afterSeq = 0, limit = 100) => store.eventsAfter(job.id, afterSeq, limit);
    const progressOf = ({ request: _request, script: _script, ...progress }: Job): JobProgress => progress;
    const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);

    describe('insert', () => {
      it('stores a job as accepted, with nothing done yet', async () => {
        const given = newJob({ name: 'ä 🍓', script: '#!/bin/bash\necho "$HOME" \'\\n\'\n' });
        const { job, inserted } = await store.insert(given);
        expect(inserted).toBe(true);
        const { idempotencyKey: _, ...known } = given;
        expect(job).toEqual({
          ...known,
          version: 1,
          accountUid: null,
          state: 'accepted',
          reason: null,
          cancelRequestedAt: null,
          submitAttempts: 0,
          submitIntentAt: null,
          slurm: null,
          slurmEnd: null,
          exitCode: null,
          signal: null,
          outputs: null,
          outputsTruncated: false,
          lastLines: null,
          submittedAt: null,
          startedAt: null,
          endedAt: null,
          lookAt: new Date(given.createdAt.getTime() + PUT_OFF_MS),
        });
        await expect(store.find(job.id)).resolves.toEqual(job);
      });

      it('writes the first event', async () => {
        const job = await insert();
        await expect(events(job)).resolves.toEqual([
          { jobId: job.id, seq: 1, type: 'state', state: 'accepted', reason: null, at: job.createdAt },
        ]);
      });

      it('keeps a request to the letter', async () => {
        const request = jobRequest({
          command: ['printf', '%s', '\'"\\ \n\t🍓', ''],
          env: { A: '\\u0041', constructor: 'x' },
          labels: { 'a/b': '"', c: '' },
          inputs: [{ path: 'ä', content: '\n\n' }],
        });
        const { id } = await insert({ request });
        expect((await store.find(id))?.request).toEqual(request);
      });

      it('answers with the older job where the owner has used the key before', async () => {
        const first = await change(await insert({ idempotencyKey: 'k' }), { state: 'staging' });
        const again = await store.insert(newJob({ idempotencyKey: 'k', name: 'another' }));
        expect(again).toEqual({ job: first, inserted: false });
        await expect(events(first)).resolves.toHaveLength(2);
        await expect(store.list({}, { limit: 10 })).resolves.toMatchObject({ items: [{ id: first.id }] });
      });

      it('knows the key for ever, after the end of the job too', async () => {
        const first = await change(await insert({ idempotencyKey: 'k' }), { state: 'failed', lookAt: null });
        const again = await store.insert(newJob({ idempotencyKey: 'k', createdAt: at(1e7) }));
        expect(again.job.id).toBe(first.id);
      });

      it('takes the same key from another owner, and jobs without key', async () => {
        const all = [
          await store.insert(newJob({ idempotencyKey: 'k' })),
          await store.insert(newJob({ idempotencyKey: 'k', ownerId: bob })),
          await store.insert(newJob({ idempotencyKey: 'K' })),
          await store.insert(newJob()),
          await store.insert(newJob()),
        ];
        expect(all.map(({ inserted }) => inserted)).toEqual([true, true, true, true, true]);
      });

      it('stores one job where many come at once with the same key', async () => {
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => store.insert(newJob({ idempotencyKey: 'k' }))),
        );
        expect(answers.filter(({ inserted }) => inserted)).toHaveLength(1);
        expect(new Set(idsOf(answers.map(({ job }) => job))).size).toBe(1);
        await expect(store.list({}, { limit: 100 })).resolves.toMatchObject({ items: [{}], next: null });
      });
    });

    describe('findByIdempotencyKey', () => {
      it("finds the owner's job with the key, as it is now", async () => {
        const job = await change(await insert({ idempotencyKey: 'k' }), { state: 'staging' });
        await insert({ idempotencyKey: 'k', ownerId: bob });
        await insert();
        await expect(store.findByIdempotencyKey(alice, 'k')).resolves.toEqual(job);
        await expect(store.findByIdempotencyKey(alice, 'K')).resolves.toBeUndefined();
      });
    });

    describe('find', () => {
      it('answers undefined for a job that is not there', async () => {
        await expect(store.find(idOf('job', 99))).resolves.toBeUndefined();
      });

      it('gives out what may be changed without changing the job', async () => {
        const job = await insert();
        const found = await store.find(job.id);
        if (found !== undefined) found.request.labels.x = 'y';
        await expect(store.find(job.id)).resolves.toEqual(job);
      });
    });

    describe('change', () => {
      it('keeps every field', async () => {
        const job = await insert();
        const patch: Required<JobPatch> = {
          state: 'collecting',
          accountUid: 4_294_967_294,
          reason: REASON,
          cancelRequestedAt: at(1.001),
          submitAttempts: 3,
          submitIntentAt: at(2),
          slurm: { cluster: 'pi', jobId: 4_294_967_294, submitTime: at(3), nodeList: 'node[01-04,7]' },
          slurmEnd: { state: 'FAILED', reason: 'NonZeroExitCode', exitCode: 3, signal: null },
          exitCode: 255,
          signal: 11,
          outputs: [{ path: 'a/ä.csv', size: 9_007_199_254_740_991, sha256: 'f'.repeat(64) }],
          outputsTruncated: true,
          lastLines: 'one\ntwo "ä"\n',
          submittedAt: at(4),
          startedAt: at(5),
          endedAt: at(6),
          lookAt: at(7),
        };
        const changed = await change(job, patch);
        expect(changed).toEqual({ ...job, ...patch, version: 2 });
        await expect(store.find(job.id)).resolves.toEqual(changed);
      });

      it('sets every field back to null', async () => {
        const job = await insert();
        const set = await change(job, {
          reason: REASON,
          slurm: { cluster: 'pi', jobId: 1, submitTime: null, nodeList: '' },
          slurmEnd: { state: null, reason: '', exitCode: null, signal: null },
          outputs: [],
          lastLines: '',
          lookAt: at(1),
          submitIntentAt: at(1),
          startedAt: at(1),
        });
        expect(set).toMatchObject({
          slurm: { submitTime: null, nodeList: '' },
          slurmEnd: { state: null },
          outputs: [],
        });
        const cleared = {
          reason: null,
          slurm: null,
          slurmEnd: null,
          outputs: null,
          lastLines: null,
          lookAt: null,
          submitIntentAt: null,
          startedAt: null,
        };
        await expect(change(set, cleared)).resolves.toEqual({ ...job, ...cleared, version: 3 });
      });

      it('leaves alone what the patch does not name', async () => {
        const job = await change(await insert(), { reason: REASON, submitAttempts: 2 });
        await expect(change(job, { exitCode: 1 })).resolves.toMatchObject({
          reason: REASON,
          submitAttempts: 2,
        });
      });

      it('raises the version by one, even where nothing changes', async () => {
        const job = await insert();
        await expect(change(job, {})).resolves.toEqual({ ...job, version: 2 });
      });

      it('does nothing where somebody else has changed the job', async () => {
        const job = await insert();
        const changed = await change(job, { state: 'staging' });
        await expect(store.change(job, { state: 'cancelled' }, at(61))).resolves.toBeUndefined();
        await expect(store.find(job.id)).resolves.toEqual(changed);
        await expect(events(job)).resolves.toHaveLength(2);
      });

      it('does nothing for a job that is not there', async () => {
        const job = await insert();
        await expect(
          store.change({ ...job, id: idOf('job', 99) }, { state: 'staging' }, at(1)),
        ).resolves.toBeUndefined();
      });

      it('lets one of many that come at once win', async () => {
        const job = await insert();
        const attempts = Array.from({ length: 20 }, (_, count) =>
          store.change(job, { state: 'staging', submitAttempts: count }, at(count)),
        );
        const [winner, ...others] = (await Promise.all(attempts)).filter((changed) => changed !== undefined);
        expect(others).toEqual([]);
        expect(winner?.version).toBe(2);
        await expect(store.find(job.id)).resolves.toEqual(winner);
        await expect(events(job)).resolves.toHaveLength(2);
      });
    });

    describe('the events of a change', () => {
      const slurm = { cluster: 'pi', jobId: 7, submitTime: null, nodeList: '' };

      it('say that the state has changed, with the reason', async () => {
        const job = await change(await insert(), { state: 'failed', reason: REASON }, at(9));
        await expect(events(job, 1)).resolves.toEqual([
          { jobId: job.id, seq: 2, type: 'state', state: 'failed', reason: REASON, at: at(9) },
        ]);
      });

      it('say that the reason has come, has changed, and has gone', async () => {
        let job = await change(await insert(), { reason: REASON });
        job = await change(job, { reason: { ...REASON, message: 'Waits longer.' } });
        job = await change(job, { reason: { ...REASON, code: 'Priority' } });
        job = await change(job, { reason: null });
        const told = await events(job, 1);
        expect(told.map(({ seq, type, reason }) => [seq, type, reason?.code])).toEqual([
          [2, 'reason', 'Resources'],
          [3, 'reason', 'Resources'],
          [4, 'reason', 'Priority'],
          [5, 'reason', undefined],
        ]);
      });

      it('say that it is to be cancelled', async () => {
        const job = await change(await insert(), { cancelRequestedAt: at(5), lookAt: at(6) }, at(5));
        await expect(events(job, 1)).resolves.toEqual([
          { jobId: job.id, seq: 2, type: 'cancel_requested', state: 'accepted', reason: null, at: at(5) },
        ]);
      });

      it.each<[string, JobPatch]>([
        ['nothing', {}],
        ['the same state', { state: 'accepted' }],
        ['the same reason', { reason: { ...REASON } }],
        ['when it is looked at', { lookAt: at(1) }],
        ['an attempt', { submitIntentAt: at(1), submitAttempts: 1 }],
        ['its place in Slurm', { slurm, submittedAt: at(1), startedAt: at(2) }],
        [
          'its end in Slurm',
          { slurmEnd: { state: 'FAILED', reason: '', exitCode: 1, signal: null }, endedAt: at(3) },
        ],
        ['that it is still to be cancelled', { cancelRequestedAt: at(9) }],
      ])('are none for %s', async (_, patch) => {
        const before = await change(await insert(), { reason: REASON });
        const job = await change(before, { cancelRequestedAt: at(2) });
        await change(job, patch);
        await expect(events(job, job.version)).resolves.toEqual([]);
      });

      it('are one for a change of several things, about the state', async () => {
        const job = await insert();
        await change(job, { state: 'cancelled', reason: REASON, cancelRequestedAt: at(1) });
        await expect(events(job, 1)).resolves.toMatchObject([{ seq: 2, type: 'state', reason: REASON }]);
      });

      it('come in order and in parts', async () => {
        let job = await insert();
        for (let count = 0; count < 10; count += 1) {
          job = await change(job, { reason: { code: 'R', message: String(count) } }, at(100 - count));
          job = await change(job, { lookAt: at(count) });
        }
        const seqs = (some: { seq: number }[]) => some.map(({ seq }) => seq);
        expect(seqs(await events(job))).toEqual([1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
        expect(seqs(await events(job, 0, 3))).toEqual([1, 2, 4]);
        expect(seqs(await events(job, 4, 3))).toEqual([6, 8, 10]);
        expect(seqs(await events(job, 5, 2))).toEqual([6, 8]);
        expect(seqs(await events(job, 20))).toEqual([]);
      });

      it('are those of the one job, and none for a job that is not there', async () => {
        const [job, other] = [await insert(), await insert()];
        await change(other, { state: 'staging' });
        await expect(events(job)).resolves.toHaveLength(1);
        await expect(store.eventsAfter(idOf('job', 99), 0, 10)).resolves.toEqual([]);
      });
    });

    describe('list', () => {
      const list = async (filter: JobFilter) => idsOf((await store.list(filter, { limit: 100 })).items);

      it('gives the newest first, and where two are as old, always in the same order', async () => {
        const [a, b, c, d] = [
          await insert(),
          await insert({ createdAt: at(9) }),
          await insert({ createdAt: at(9) }),
          await insert(),
        ];
        await expect(list({})).resolves.toEqual(idsOf([c, b, d, a]));
      });

      it('gives whole jobs', async () => {
        const job = await change(await insert(), { state: 'failed', reason: REASON, outputs: [] });
        await expect(store.list({}, { limit: 1 })).resolves.toEqual({ items: [job], next: null });
      });

      it('filters by owner, state, name, label and time, and by all of them at once', async () => {
        const labelled = (labels: Record<string, string>) => jobRequest({ command: ['x'], labels });
        const a = await insert({ name: 'one', request: labelled({ team: 'a', run: '1' }) });
        const b = await change(await insert({ name: 'two', request: labelled({ team: 'b' }) }), {
          state: 'failed',
        });
        const c = await change(
          await insert({ ownerId: bob, name: 'one', request: labelled({ team: 'a' }) }),
          { state: 'running' },
        );
        await expect(list({ ownerId: alice })).resolves.toEqual(idsOf([b, a]));
        await expect(list({ ownerId: 'nobody' })).resolves.toEqual([]);
        await expect(list({ states: ['failed', 'running'] })).resolves.toEqual(idsOf([c, b]));
        await expect(list({ states: [] })).resolves.toEqual([]);
        await expect(list({ name: 'one' })).resolves.toEqual(idsOf([c, a]));
        await expect(list({ name: 'on%' })).resolves.toEqual([]);
        await expect(list({ labels: { team: 'a' } })).resolves.toEqual(idsOf([c, a]));
        await expect(list({ labels: { team: 'a', run: '1' } })).resolves.toEqual(idsOf([a]));
        await expect(list({ labels: { team: 'A' } })).resolves.toEqual([]);
        await expect(list({ labels: { run: '' } })).resolves.toEqual([]);
        await expect(list({ labels: {} })).resolves.toEqual(idsOf([c, b, a]));
        await expect(list({ createdAfter: a.createdAt })).resolves.toEqual(idsOf([c, b]));
        await expect(list({ createdBefore: c.createdAt })).resolves.toEqual(idsOf([b, a]));
        await expect(list({ createdAfter: a.createdAt, createdBefore: c.createdAt })).resolves.toEqual(
          idsOf([b]),
        );
        const all = {
          ownerId: bob,
          states: ['running'],
          name: 'one',
          labels: { team: 'a' },
          createdAfter: at(0),
        } as const;
        await expect(list(all)).resolves.toEqual(idsOf([c]));
      });

      it('gives every job on one page only, while others come and change', async () => {
        const jobs: Job[] = [];
        for (let count = 0; count < 7; count += 1)
          jobs.push(await insert({ createdAt: at(count < 4 ? 3 : count) }));
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < 4; page += 1) {
          const { items, next } = await store.list({ ownerId: alice }, { limit: 2, cursor });
          seen.push(...idsOf(items));
          expect(next === null).toBe(page === 3);
          cursor = next ?? undefined;
          await insert({ createdAt: at(1000 + page) });
          const [last] = items;
          if (last !== undefined) await change(last, { state: 'staging' });
        }
        expect(seen).toEqual(idsOf(jobs).reverse());
      });

      it.each([
        [0, 3, [0], null],
        [3, 3, [3], null],
        [4, 3, [3, 1], null],
      ])('of %i jobs gives pages of %i: %j', async (count, limit, sizes, end) => {
        for (let made = 0; made < count; made += 1) await insert();
        const found: number[] = [];
        let cursor: string | null | undefined;
        do {
          const page = await store.list({}, { limit, cursor: cursor ?? undefined });
          found.push(page.items.length);
          cursor = page.next;
        } while (cursor !== null);
        expect(found).toEqual(sizes);
        expect(cursor).toBe(end);
      });

      it.each(['nonsense', '', 'é', Buffer.from('x.y').toString('base64url')])(
        'refuses the cursor %j, which it did not give out',
        async (cursor) => {
          await expect(store.list({}, { limit: 1, cursor })).rejects.toMatchObject({
            code: 'invalid_request',
          });
        },
      );
    });

    describe('takeDue and putOff', () => {
      it('takes what is due, the longest waiting first, and puts it off', async () => {
        const a = await insertIn('queued', { lookAt: at(20) });
        const b = await insertIn('submitting', { lookAt: at(10) });
        await insertIn('running', { lookAt: at(31) });
        await insertIn('queued', { lookAt: null });
        await insertIn('completed', { lookAt: null });
        const taken = await store.takeDue(at(30), at(40), 10);
        expect(idsOf(taken)).toEqual(idsOf([b, a]));
        expect((await store.find(a.id))?.lookAt).toEqual(at(40));
        await expect(store.takeDue(at(30), at(40), 10)).resolves.toEqual([]);
        expect(idsOf(await store.takeDue(at(40), at(50), 10))).toHaveLength(3);
      });

      it('takes what falls due at this very moment, and no more than the limit', async () => {
        for (const second of [3, 1, 2]) await insertIn('queued', { lookAt: at(second) });
        const taken = await store.takeDue(at(3), at(10), 2);
        expect(idsOf(taken)).toEqual([idOf('job', 2), idOf('job', 3)]);
        expect(idsOf(await store.takeDue(at(3), at(10), 2))).toEqual([idOf('job', 1)]);
      });

      it('finds a new job that nobody has taken up', async () => {
        const job = await insert();
        const due = new Date(job.createdAt.getTime() + PUT_OFF_MS);
        await expect(store.takeDue(new Date(due.getTime() - 1), at(100), 10)).resolves.toEqual([]);
        expect(idsOf(await store.takeDue(due, at(100), 10))).toEqual([job.id]);
      });

      it('gives a job to one of many that ask at once', async () => {
        for (let count = 0; count < 20; count += 1) await insert();
        const taken = await Promise.all(
          Array.from({ length: 8 }, () => store.takeDue(at(1000), at(2000), 5)),
        );
        const ids = taken.flatMap(idsOf);
        expect(new Set(ids).size).toBe(ids.length);
        const rest = idsOf(await store.takeDue(at(1000), at(2000), 100));
        expect([...ids, ...rest].sort()).toEqual(
          Array.from({ length: 20 }, (_, index) => idOf('job', index + 1)),
        );
      });

      it('changes neither version nor events, so that nobody who works on the job is disturbed', async () => {
        const job = await insert();
        await store.takeDue(at(100), at(200), 10);
        await store.putOff(job.id, at(300));
        await expect(store.find(job.id)).resolves.toEqual({ ...job, lookAt: at(300) });
        await expect(change(job, { state: 'staging' })).resolves.toMatchObject({
          version: 2,
          lookAt: at(300),
        });
        await expect(events(job)).resolves.toHaveLength(2);
      });

      it.each(JOB_STATES)('puts a job off that is %s, unless it has ended', async (state) => {
        const job = await insertIn(state, { lookAt: isFinal(state) ? null : at(5) });
        await store.putOff(job.id, at(50));
        expect((await store.find(job.id))?.lookAt).toEqual(isFinal(state) ? null : at(50));
      });

      it('puts off what is not there without a word', async () => {
        await expect(store.putOff(idOf('job', 99), at(1))).resolves.toBeUndefined();
      });
    });

    describe('followed', () => {
      it.each(JOB_STATES)('answers whether a job that is %s may be in Slurm', async (state) => {
        const job = await insertIn(state);
        expect(idsOf(await store.followed())).toEqual(
          state === 'queued' || state === 'running' ? [job.id] : [],
        );
      });

      it('includes jobs whose attempt is outstanding, of all owners, without what was asked for', async () => {
        const job = await change(await insert({ ownerId: bob }), {
          state: 'submitting',
          submitIntentAt: at(1),
        });
        await expect(store.followed()).resolves.toEqual([progressOf(job)]);
      });

      it.each(FINAL_STATES)('leaves out a job that is %s, whatever was outstanding', async (state) => {
        await insertIn(state, { submitIntentAt: at(1) });
        await expect(store.followed()).resolves.toEqual([]);
      });
    });

    describe('countByState', () => {
      it('counts the jobs of all owners', async () => {
        await insert();
        await insert({ ownerId: bob });
        await insertIn('failed');
        const counts = await store.countByState();
        const found = JOB_STATES.map((state) => [state, counts.get(state) ?? 0]).filter(
          ([, count]) => count !== 0,
        );
        expect(Object.fromEntries(found)).toEqual({ accepted: 2, failed: 1 });
      });
    });

    it('loses nothing and invents nothing while many change the same job', async () => {
      const { id } = await insert();
      const addOne = async () => {
        for (;;) {
          const job = await store.find(id);
          if (job === undefined) throw new Error('the job is not there');
          const next = job.submitAttempts + 1;
          const reason = { code: 'Count', message: String(next) };
          if ((await store.change(job, { submitAttempts: next, reason }, at(next))) !== undefined) return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, addOne));
      await expect(store.find(id)).resolves.toMatchObject({ submitAttempts: 12, version: 13 });
      const told = await store.eventsAfter(id, 1, 100);
      expect(told.map(({ seq, reason }) => [seq, reason?.message])).toEqual(
        Array.from({ length: 12 }, (_, index) => [index + 2, String(index + 1)]),
      );
    });
  });
}
