import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finish, type Job, moveTo } from '#core/jobs/job';
import { PUT_OFF_MS } from '#core/jobs/job-store';
import { Problem } from '#core/vocabulary/problem';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { TypeormJobStore } from '../../../libs/infra/src/database/typeorm-job-store.ts';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';
import { sampleJob } from './sample-jobs.ts';

const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 1, 12) + milliseconds);
const log = () => {};

let database: FreshDatabase;
let dataSource: DataSource;
let jobs: TypeormJobStore;

beforeAll(async () => {
  database = await freshMigratedDatabase();
  dataSource = await openDatabase({ url: database.url, poolSize: 10, log });
  jobs = new TypeormJobStore(dataSource);
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

beforeEach(async () => {
  await dataSource.query('TRUNCATE jobs CASCADE');
});

async function inserted(given: Parameters<typeof sampleJob>[0] = {}): Promise<Job> {
  return (await jobs.insert(sampleJob(given))).job;
}

async function changed(job: Job, patch: Parameters<typeof jobs.change>[1], when = at(0)): Promise<Job> {
  const after = await jobs.change(job, patch, when);
  if (after === undefined) throw new Error('the job was changed by somebody else');
  return after;
}

async function found(id: string): Promise<Job> {
  const job = await jobs.find(id);
  if (job === undefined) throw new Error('the job is not there');
  return job;
}

const events = (job: Job) => jobs.eventsAfter(job.id, 0, 1000);

describe('insert', () => {
  it('stores an accepted job that falls due by itself, with its first event', async () => {
    const created = sampleJob({
      createdAt: at(7),
      request: { command: ['echo', 'Grüße', '🫐'], labels: { project: 'ocean' } },
    });
    const { job, inserted: isNew } = await jobs.insert(created);
    expect(isNew).toBe(true);
    expect(job).toMatchObject({
      state: 'accepted',
      version: 1,
      lookAt: at(7 + PUT_OFF_MS),
      createdAt: at(7),
    });
    expect(await jobs.find(job.id)).toEqual(job);
    expect(await events(job)).toEqual([
      { jobId: job.id, seq: 1, type: 'state', state: 'accepted', reason: null, at: at(7) },
    ]);
  });

  it('gives the older job where the owner has used the idempotency key before', async () => {
    const first = await inserted({ idempotencyKey: 'k' });
    const second = await jobs.insert(sampleJob({ idempotencyKey: 'k', name: 'other' }));
    expect(second).toEqual({ job: first, inserted: false });
  });

  it('keeps the idempotency keys of owners apart, and jobs without a key', async () => {
    await inserted({ idempotencyKey: 'k' });
    const other = await jobs.insert(sampleJob({ idempotencyKey: 'k', ownerId: 'usr_2' }));
    await inserted();
    await inserted();
    expect(other.inserted).toBe(true);
    expect((await jobs.list({}, { limit: 10 })).items).toHaveLength(4);
  });

  it('makes one job of 20 that race with the same idempotency key', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, () => jobs.insert(sampleJob({ idempotencyKey: 'race' }))),
    );
    expect(results.filter((result) => result.inserted)).toHaveLength(1);
    expect(new Set(results.map(({ job }) => job.id)).size).toBe(1);
    expect(await Promise.all(results.map(({ job }) => events(job)))).toEqual(
      Array(20).fill([expect.anything()]),
    );
  });

  it('keeps text that PostgreSQL has no way to write, as nearly as it can', async () => {
    const job = await inserted({
      script: 'a\0b\uD800c',
      request: { command: ['x'], labels: { odd: 'a\uDC00b' } },
    });
    const after = await changed(job, { lastLines: 'nul \0 here', reason: { code: 'X', message: '\0' } });
    expect(after).toMatchObject({ lastLines: 'nul \uFFFD here', reason: { message: '\uFFFD' } });
    expect(await jobs.find(job.id)).toMatchObject({
      script: 'a\uFFFDb\uFFFDc',
      request: { labels: { odd: 'a\uFFFDb' } },
    });
  });
});

describe('change', () => {
  it('keeps every field as it was given, to the millisecond', async () => {
    const job = await inserted();
    const patch = {
      state: 'collecting',
      reason: { code: 'NonZeroExit', message: 'It ended with 3.' },
      cancelRequestedAt: at(1),
      submitAttempts: 2,
      submitIntentAt: at(2),
      slurm: { cluster: 'pi', jobId: 4_294_967_295, submitTime: at(3), nodeList: 'pi[01-04]' },
      slurmEnd: { state: 'FAILED', reason: 'NonZeroExitCode', exitCode: 3, signal: null },
      exitCode: 3,
      signal: 9,
      outputs: [{ path: 'out/a.csv', size: 5_000_000_000, sha256: 'ab' }],
      lastLines: 'error: no\nend',
      submittedAt: at(4),
      startedAt: at(5),
      endedAt: at(999),
      lookAt: at(1001),
    } as const;
    const after = await changed(job, { ...patch, outputs: [...patch.outputs] });
    expect(after).toEqual({ ...job, ...patch, version: 2 });
    expect(await jobs.find(job.id)).toEqual(after);
  });

  it('clears what is set to null and leaves what is not named', async () => {
    const job = await changed(await inserted(), {
      slurm: { cluster: 'pi', jobId: 7, submitTime: null, nodeList: '' },
      lastLines: 'x',
    });
    const after = await changed(job, { slurm: null, lookAt: null });
    expect(after).toMatchObject({ slurm: null, lookAt: null, lastLines: 'x' });
    expect(await jobs.find(job.id)).toEqual(after);
  });

  it('changes nothing where somebody else was first', async () => {
    const job = await inserted();
    const winner = await changed(job, moveTo(job, 'staging'));
    expect(await jobs.change(job, moveTo(job, 'cancelled'), at(1))).toBeUndefined();
    expect(await jobs.find(job.id)).toEqual(winner);
    expect((await events(job)).map(({ state }) => state)).toEqual(['accepted', 'staging']);
  });

  it('changes nothing where the job is not there', async () => {
    const job = await inserted();
    expect(await jobs.change({ ...job, id: 'job_gone' }, { signal: 1 }, at(0))).toBeUndefined();
  });

  it('writes an event for a state, a reason and a cancel request, and none for the rest', async () => {
    let job = await inserted();
    job = await changed(job, moveTo(job, 'staging'), at(1));
    job = await changed(job, { submitAttempts: 1 }, at(2));
    job = await changed(job, { reason: { code: 'Wait', message: 'a' } }, at(3));
    job = await changed(job, { reason: { code: 'Wait', message: 'a' } }, at(4));
    job = await changed(job, { reason: { code: 'Wait', message: 'b' } }, at(5));
    job = await changed(job, { cancelRequestedAt: at(6) }, at(6));
    job = await changed(job, { cancelRequestedAt: at(7) }, at(7));
    job = await changed(
      job,
      finish(job, 'cancelled', at(8), { reason: { code: 'Cancelled', message: 'c' } }),
      at(8),
    );
    expect(
      (await events(job)).map(({ seq, type, state, reason }) => [seq, type, state, reason?.message]),
    ).toEqual([
      [1, 'state', 'accepted', undefined],
      [2, 'state', 'staging', undefined],
      [4, 'reason', 'staging', 'a'],
      [6, 'reason', 'staging', 'b'],
      [7, 'cancel_requested', 'staging', 'b'],
      [9, 'state', 'cancelled', 'c'],
    ]);
    expect(await jobs.eventsAfter(job.id, 4, 2)).toMatchObject([{ seq: 6 }, { seq: 7, at: at(6) }]);
  });

  it('lets exactly one of 20 win each version, with complete events in order', async () => {
    const job = await inserted();
    for (let round = 0; round < 5; round += 1) {
      const current = await found(job.id);
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          jobs.change(current, { reason: { code: 'Race', message: `${round}/${index}` } }, at(round)),
        ),
      );
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    }
    expect((await events(job)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await jobs.find(job.id))?.version).toBe(6);
  });

  it('loses no change where 20 try again until theirs is in', async () => {
    const job = await inserted();
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        for (;;) {
          const current = await found(job.id);
          const reason = { code: 'Race', message: String(index) };
          const after = await jobs.change(
            current,
            { submitAttempts: current.submitAttempts + 1, reason },
            at(index),
          );
          if (after !== undefined) return;
        }
      }),
    );
    expect(await jobs.find(job.id)).toMatchObject({ submitAttempts: 20, version: 21 });
    const written = await events(job);
    expect(written.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(new Set(written.map(({ reason }) => reason?.message)).size).toBe(21);
  });
});

describe('list', () => {
  it('pages from the newest to the oldest without losing or doubling any, also where times are equal', async () => {
    const made: string[] = [];
    for (let index = 0; index < 25; index += 1) {
      made.push((await inserted({ createdAt: at(Math.floor(index / 10)) })).id);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await jobs.list({}, { limit: 7, cursor });
      seen.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      expect(page.next).toMatch(/^[\w-]{1,200}$/);
      cursor = page.next;
    }
    expect(seen).toEqual(made.toReversed());
  });

  it('has no next page where the last one is just full', async () => {
    for (let index = 0; index < 4; index += 1) await inserted({ createdAt: at(index) });
    const first = await jobs.list({}, { limit: 2 });
    const second = await jobs.list({}, { limit: 2, cursor: first.next ?? '' });
    expect(second).toMatchObject({ items: [{}, {}], next: null });
  });

  it.each(['', 'x', '!!!', 'MTIz', 'A'.repeat(200), Buffer.from("1.job_x' OR 1=1").toString('base64url')])(
    'refuses the cursor %j',
    async (cursor) => {
      const listed = jobs.list({}, { limit: 2, cursor });
      await expect(listed).rejects.toThrow(Problem);
      await expect(listed).rejects.toMatchObject({ code: 'invalid_request', faults: [{ field: 'cursor' }] });
    },
  );

  it('finds by owner, state, name, labels and time', async () => {
    const wanted = await inserted({
      name: 'wanted',
      createdAt: at(10),
      request: { command: ['x'], labels: { project: 'ocean', run: '1' } },
    });
    await inserted({
      name: 'other',
      createdAt: at(20),
      request: { command: ['x'], labels: { project: 'land' } },
    });
    const moved = await inserted({ ownerId: 'usr_2', createdAt: at(30) });
    await changed(moved, moveTo(moved, 'staging'));
    const namesOf = async (filter: Parameters<typeof jobs.list>[0]) =>
      (await jobs.list(filter, { limit: 10 })).items.map(({ name, ownerId }) =>
        ownerId === 'usr_2' ? '2' : name,
      );
    expect(await namesOf({ ownerId: wanted.ownerId })).toEqual(['other', 'wanted']);
    expect(await namesOf({ states: ['staging', 'failed'] })).toEqual(['2']);
    expect(await namesOf({ states: [] })).toEqual([]);
    expect(await namesOf({ name: 'wanted' })).toEqual(['wanted']);
    expect(await namesOf({ labels: { project: 'ocean' } })).toEqual(['wanted']);
    expect(await namesOf({ labels: { project: 'ocean', run: '2' } })).toEqual([]);
    expect(await namesOf({ createdAfter: at(10), createdBefore: at(30) })).toEqual(['other']);
  });
});

describe('due jobs', () => {
  it('takes the longest waiting first and puts them off', async () => {
    const [late, early, notYet, never] = [
      await inserted(),
      await inserted(),
      await inserted(),
      await inserted(),
    ];
    await jobs.putOff(late.id, at(20));
    await jobs.putOff(early.id, at(10));
    await jobs.putOff(notYet.id, at(1000));
    await changed(never, { lookAt: null });
    const taken = await jobs.takeDue(at(20), at(500), 10);
    expect(taken.map(({ id }) => id)).toEqual([early.id, late.id]);
    const { request: _request, script: _script, ...progress } = early;
    expect(taken[0]).toEqual({ ...progress, lookAt: at(500) });
    expect(await jobs.takeDue(at(20), at(500), 10)).toEqual([]);
    expect(await events(early)).toHaveLength(1);
  });

  it('gives each job once to 8 that take at the same time', async () => {
    for (let index = 0; index < 100; index += 1) await inserted({ createdAt: at(index) });
    const now = at(PUT_OFF_MS + 1000);
    const takers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const mine: string[] = [];
        for (let round = 0; round < 6; round += 1) {
          mine.push(...(await jobs.takeDue(now, at(10 * PUT_OFF_MS), 5)).map(({ id }) => id));
        }
        return mine;
      }),
    );
    const taken = takers.flat();
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken.length).toBe(100);
  });

  it('never makes a finished job due again', async () => {
    const job = await inserted();
    const ended = await changed(job, finish(job, 'failed', at(0)));
    await jobs.putOff(job.id, at(5));
    expect(await jobs.find(job.id)).toEqual(ended);
  });

  it('puts off without a new version', async () => {
    const job = await inserted();
    await jobs.putOff(job.id, at(5));
    expect(await jobs.find(job.id)).toEqual({ ...job, lookAt: at(5) });
  });
});

describe('followed and counts', () => {
  it('follows what Slurm has or may have, and counts every state', async () => {
    const submitting = await changed(await inserted(), { state: 'submitting' });
    const attempting = await changed(await inserted(), { state: 'submitting', submitIntentAt: at(0) });
    const queued = await changed(await inserted(), { state: 'queued' });
    const running = await changed(await inserted(), { state: 'running' });
    await changed(await inserted(), { state: 'collecting' });
    await changed(await inserted(), { state: 'completed', lookAt: null });
    const followed = await jobs.followed();
    expect(new Set(followed.map(({ id }) => id))).toEqual(new Set([attempting.id, queued.id, running.id]));
    expect(followed.some(({ id }) => id === submitting.id)).toBe(false);
    const counts = await jobs.countByState();
    expect(counts.get('submitting')).toBe(2);
    expect(counts.get('completed')).toBe(1);
    expect(counts.get('failed')).toBe(0);
  });
});
