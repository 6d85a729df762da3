import { beforeEach, describe, expect, it } from 'vitest';
import { existing } from '../../../../test/fakes/existing.ts';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { MemoryJobChanges } from '../../../../test/fakes/memory-job-changes.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { changeJob } from './change-job.ts';
import type { JobPatch } from './job.ts';
import type { JobState } from './job-state.ts';
import { waitForJob, type WaitUntil, watchJobEvents } from './watch-job.ts';

const { id } = newJob();
let changes: MemoryJobChanges;
let jobs: MemoryJobStore;
let now: number;
let pauses: number[];
/** What happens in each pause, in order. */
let happenings: (() => unknown)[];
let hintsAreLost: boolean;

beforeEach(async () => {
  changes = new MemoryJobChanges();
  hintsAreLost = false;
  jobs = new MemoryJobStore((jobId) => {
    if (!hintsAreLost) changes.hint(jobId);
  });
  now = 0;
  pauses = [];
  happenings = [];
  await jobs.insert(newJob());
});

/** Time goes on by as much as was asked for, or stands still where the pause was cut short. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (isOver(signal)) return;
  pauses.push(ms);
  if (pauses.length > 100) throw new Error('it waits for ever');
  await happenings.shift()?.();
  if (!isOver(signal)) now += ms;
}

const isOver = ({ aborted }: AbortSignal): boolean => aborted;
const set = (patch: JobPatch) => changeJob(jobs, { now: () => new Date(now) }, id, () => patch);
const move = (state: JobState) => () => set({ state });

describe('watchJobEvents', () => {
  async function watch(options: { afterSeq?: number; signal?: AbortSignal; take?: number } = {}) {
    const { afterSeq = 0, signal = new AbortController().signal, take = Infinity } = options;
    const seen: [number, string][] = [];
    for await (const event of watchJobEvents({ jobs, changes, pause }, id, { afterSeq, signal })) {
      seen.push([event.seq, event.state]);
      if (seen.length >= take) break;
    }
    return seen;
  }

  it('tells what has been, what comes, and ends with the job', async () => {
    happenings = [move('staging'), move('submitting'), move('failed')];
    await expect(watch()).resolves.toEqual([
      [1, 'accepted'],
      [2, 'staging'],
      [3, 'submitting'],
      [4, 'failed'],
    ]);
    expect(now).toBe(0);
  });

  it('begins behind the event that the caller has', async () => {
    happenings = [move('failed')];
    await set({ state: 'staging' });
    await expect(watch({ afterSeq: 1 })).resolves.toEqual([
      [2, 'staging'],
      [3, 'failed'],
    ]);
    await expect(watch({ afterSeq: 3 })).resolves.toEqual([]);
  });

  it('finds what it was not told of', async () => {
    hintsAreLost = true;
    happenings = [move('staging'), move('failed')];
    await expect(watch()).resolves.toHaveLength(3);
    expect(pauses.every((ms) => ms <= 5_000)).toBe(true);
    expect(now).toBeGreaterThan(0);
  });

  it('keeps a hint that comes while it is telling', async () => {
    const seen: string[] = [];
    for await (const { state } of watchJobEvents({ jobs, changes, pause }, id, {
      afterSeq: 0,
      signal: new AbortController().signal,
    })) {
      seen.push(state);
      if (state === 'accepted') await set({ state: 'staging' });
      if (state === 'staging') await set({ state: 'failed' });
    }
    expect(seen).toEqual(['accepted', 'staging', 'failed']);
    expect(pauses).toEqual([]);
  });

  it('tells every event of many that came at once, in order', async () => {
    for (let count = 0; count < 600; count += 1) await set({ reason: { code: 'R', message: String(count) } });
    await set({ state: 'failed' });
    const seen = await watch();
    expect(seen.map(([seq]) => seq)).toEqual(Array.from({ length: 602 }, (_, index) => index + 1));
  });

  it('ends when it is aborted, and when nobody reads on, and then listens no more', async () => {
    const controller = new AbortController();
    happenings = [() => controller.abort()];
    await expect(watch({ signal: controller.signal })).resolves.toEqual([[1, 'accepted']]);
    await expect(watch({ take: 1 })).resolves.toEqual([[1, 'accepted']]);
    expect(changes.listeners(id)).toBe(0);
  });

  it('has nothing to tell of a job that is not there', async () => {
    jobs = new MemoryJobStore();
    await expect(watch()).resolves.toEqual([]);
    expect(changes.listeners(id)).toBe(0);
  });
});

describe('waitForJob', () => {
  const wait = async (until: WaitUntil, timeoutMs = 60_000, signal = new AbortController().signal) => {
    const job = existing(await jobs.find(id));
    return (await waitForJob({ jobs, changes, pause }, job, { until, timeoutMs, now: () => now, signal }))
      .state;
  };

  it.each<[JobState, WaitUntil]>([
    ['running', 'running'],
    ['collecting', 'running'],
    ['completed', 'running'],
    ['failed', 'running'],
    ['completed', 'finished'],
    ['cancelled', 'finished'],
  ])('answers at once for a job that is %s, where %s is waited for', async (state, until) => {
    await set({ state });
    await expect(wait(until)).resolves.toBe(state);
    expect(pauses).toEqual([]);
  });

  it('answers as soon as it is told that the job has come so far', async () => {
    happenings = [move('staging'), move('running')];
    await expect(wait('running')).resolves.toBe('running');
    expect(now).toBe(0);
  });

  it('waits on while the job only runs, where its end is waited for', async () => {
    happenings = [move('running'), move('collecting'), move('completed')];
    await expect(wait('finished')).resolves.toBe('completed');
  });

  it('sees a change of which the hint was lost', async () => {
    hintsAreLost = true;
    happenings = [() => {}, move('running')];
    await expect(wait('running')).resolves.toBe('running');
    expect(now).toBe(10_000);
  });

  it('sees a change that came before it began to listen', async () => {
    const job = existing(await jobs.find(id));
    await set({ state: 'completed' });
    const options = {
      until: 'finished',
      timeoutMs: 60_000,
      now: () => now,
      signal: new AbortController().signal,
    } as const;
    await expect(waitForJob({ jobs, changes, pause }, job, options)).resolves.toMatchObject({
      state: 'completed',
    });
    expect(pauses).toEqual([]);
  });

  it.each([0, 1, 4_999, 5_000, 12_345])(
    'answers with the job as it is when %i ms are over',
    async (timeoutMs) => {
      hintsAreLost = true;
      await expect(wait('finished', timeoutMs)).resolves.toBe('accepted');
      expect(now).toBe(timeoutMs);
    },
  );

  it('does not wait longer because of hints', async () => {
    happenings = Array.from({ length: 20 }, (_, count) => () => {
      now += 1000;
      return set({ reason: { code: 'R', message: String(count) } });
    });
    await expect(wait('finished', 10_000)).resolves.toBe('accepted');
    expect(now).toBe(10_000);
  });

  it('answers when the caller is gone, and listens no more', async () => {
    const controller = new AbortController();
    happenings = [() => controller.abort()];
    await expect(wait('finished', 60_000, controller.signal)).resolves.toBe('accepted');
    expect(changes.listeners(id)).toBe(0);
  });
});
