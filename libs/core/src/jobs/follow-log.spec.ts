import { beforeEach, describe, expect, it } from 'vitest';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { MemoryRunFiles } from '../../../../test/fakes/memory-run-files.ts';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import { followLog, type LogPiece, tailOffset, wholeCharacters } from './follow-log.ts';
import { changeJob } from './change-job.ts';
import type { JobPatch } from './job.ts';

const { id } = newJob();
let jobs: MemoryJobStore;
let files: MemoryRunFiles;
let pauses: number[];
/** What happens in each pause, in order; after the last one the job ends. */
let happenings: (() => unknown)[];

beforeEach(async () => {
  jobs = new MemoryJobStore();
  files = new MemoryRunFiles();
  pauses = [];
  happenings = [];
  await jobs.insert(newJob());
});

const set = (patch: JobPatch) => changeJob(jobs, { now: () => new Date(0) }, id, () => patch);

async function read(
  options: { offset?: number; follow?: boolean; signal?: AbortSignal } = {},
  each: (piece: LogPiece) => void = () => {},
): Promise<LogPiece[]> {
  const pieces: LogPiece[] = [];
  const pause = async (ms: number) => {
    pauses.push(ms);
    const happening = happenings.shift() ?? (() => set({ state: 'completed' }));
    await happening();
  };
  const { offset = 0, follow = false, signal = new AbortController().signal } = options;
  for await (const piece of followLog({ jobs, files, pause }, id, {
    stream: 'stdout',
    offset,
    follow,
    signal,
  })) {
    pieces.push(piece);
    each(piece);
  }
  return pieces;
}

const textOf = (pieces: LogPiece[]) => Buffer.concat(pieces.map(({ bytes }) => bytes)).toString();

describe('followLog', () => {
  it('reads what there is and ends, without follow', async () => {
    files.append(id, 'stdout', 'one\ntwo\n');
    files.append(id, 'stderr', 'other');
    expect(textOf(await read())).toBe('one\ntwo\n');
    expect(pauses).toEqual([]);
  });

  it('has nothing to tell of a log that is not there', async () => {
    await expect(read()).resolves.toEqual([]);
    await expect(read({ offset: 100 })).resolves.toEqual([]);
  });

  it('begins at the offset', async () => {
    files.append(id, 'stdout', '0123456789');
    const pieces = await read({ offset: 4 });
    expect(pieces.map(({ offset }) => offset)).toEqual([4]);
    expect(textOf(pieces)).toBe('456789');
  });

  it('tells a large log in pieces without gaps', async () => {
    files.append(id, 'stdout', Buffer.alloc(200_000, 'x'));
    const pieces = await read();
    let next = 0;
    for (const { offset, bytes } of pieces) {
      expect(offset).toBe(next);
      expect(bytes.length).toBeLessThanOrEqual(64 * 1024);
      next += bytes.length;
    }
    expect(next).toBe(200_000);
  });

  it('follows a log that grows to the end of the job, and tells what was written last', async () => {
    happenings = [
      () => files.append(id, 'stdout', 'one\n'),
      () => set({ state: 'running' }),
      () => files.append(id, 'stdout', 'two\n'),
      () => set({ state: 'collecting' }),
      async () => {
        files.append(id, 'stdout', 'last\n');
        await set({ state: 'completed' });
      },
    ];
    const pieces = await read({ follow: true });
    expect(textOf(pieces)).toBe('one\ntwo\nlast\n');
    expect(pieces.map(({ offset }) => offset)).toEqual([0, 4, 8]);
  });

  it('does not lose what is written between its look at the job and its look at the log', async () => {
    const find = jobs.find.bind(jobs);
    let written = false;
    jobs.find = async (jobId) => {
      const job = await find(jobId);
      if (!written && pauses.length === 1) {
        written = true;
        files.append(id, 'stdout', 'written in between');
        await set({ state: 'completed' });
      }
      return job;
    };
    happenings = [() => {}];
    expect(textOf(await read({ follow: true }))).toBe('written in between');
  });

  it('follows a finished job to the end of its log, without a pause', async () => {
    files.append(id, 'stdout', 'all');
    await set({ state: 'failed' });
    expect(textOf(await read({ follow: true }))).toBe('all');
    expect(pauses).toEqual([]);
  });

  it('ends where the job is not there', async () => {
    jobs = new MemoryJobStore();
    await expect(read({ follow: true })).resolves.toEqual([]);
  });

  it('looks less and less often while nothing comes, and often again when something came', async () => {
    happenings = [...Array.from({ length: 8 }, () => () => {}), () => files.append(id, 'stdout', 'x')];
    await read({ follow: true });
    expect(pauses.slice(0, 2)).toEqual([100, 150]);
    expect(Math.max(...pauses)).toBe(1000);
    expect(pauses.slice(0, 9)).toEqual([...pauses.slice(0, 9)].sort((a, b) => a - b));
    expect(pauses[9]).toBe(100);
  });

  it('ends when it is aborted, in a pause and between two pieces', async () => {
    const inPause = new AbortController();
    happenings = [() => inPause.abort()];
    await expect(read({ follow: true, signal: inPause.signal })).resolves.toEqual([]);
    expect(pauses).toHaveLength(1);

    const between = new AbortController();
    files.append(id, 'stdout', Buffer.alloc(200_000, 'x'));
    await expect(read({ follow: true, signal: between.signal }, () => between.abort())).resolves.toHaveLength(
      1,
    );
    await expect(read({ signal: AbortSignal.abort() })).resolves.toEqual([]);
  });
});

describe('tailOffset', () => {
  it.each([
    ['', 1, ''],
    ['one', 1, 'one'],
    ['one\n', 1, 'one\n'],
    ['one\ntwo', 1, 'two'],
    ['one\ntwo\n', 1, 'two\n'],
    ['one\ntwo\n', 2, 'one\ntwo\n'],
    ['one\ntwo\n', 3, 'one\ntwo\n'],
    ['one\ntwo\nthree\n', 2, 'two\nthree\n'],
    ['\n\n\n', 1, '\n'],
    ['\n\n\n', 2, '\n\n'],
    ['a\n\nb\n', 2, '\nb\n'],
    ['ä\nö\n', 1, 'ö\n'],
  ])('of %j begins the last %i lines with %j', async (log, lines, tail) => {
    files.append(id, 'stdout', log);
    const offset = await tailOffset(files, id, 'stdout', lines);
    expect(Buffer.from(log).subarray(offset).toString()).toBe(tail);
  });

  it('gives as many lines as were asked for, whatever the log', async () => {
    const random = new SeededRandom(6);
    for (let round = 0; round < 300; round += 1) {
      const log = Array.from({ length: random.between(0, 40) }, () =>
        random.pick(['a', 'ß', '\n', '\n']),
      ).join('');
      const lines = random.between(1, 10);
      const one = new MemoryRunFiles();
      one.append(id, 'stdout', log);
      const expected =
        log
          .match(/[^\n]*\n|[^\n]+$/g)
          ?.slice(-lines)
          .join('') ?? '';
      const offset = await tailOffset(one, id, 'stdout', lines);
      expect(Buffer.from(log).subarray(offset).toString(), JSON.stringify([log, lines])).toBe(expected);
    }
  });

  it('does not look back over more than it may', async () => {
    files.append(id, 'stdout', `${'x'.repeat(1000)}\nend\n`);
    await expect(tailOffset(files, id, 'stdout', 2, 100)).resolves.toBe(905);
    await expect(tailOffset(files, id, 'stdout', 1, 100)).resolves.toBe(1001);
  });
});

describe('wholeCharacters', () => {
  const text = 'aß€日🍓z🍓€ß';
  const bytes = Buffer.from(text);

  it.each([...bytes.keys(), bytes.length])('keeps a character whole that is split at byte %i', (at) => {
    const first = bytes.subarray(0, at);
    const whole = wholeCharacters(first);
    expect(at - whole).toBeLessThan(4);
    const head = first.subarray(0, whole).toString();
    const tail = bytes.subarray(whole).toString();
    expect(head + tail).toBe(text);
    expect(head).not.toContain('\ufffd');
  });

  it('keeps characters whole however the text is cut into pieces', () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 200; round += 1) {
      let rest = Buffer.alloc(0);
      let told = '';
      for (let at = 0; at < bytes.length;) {
        const next = Math.min(bytes.length, at + random.between(1, 5));
        const piece = Buffer.concat([rest, bytes.subarray(at, next)]);
        const whole = wholeCharacters(piece);
        told += piece.subarray(0, whole).toString();
        rest = piece.subarray(whole);
        at = next;
      }
      expect(told).toBe(text);
      expect(rest).toHaveLength(0);
    }
  });

  it.each([
    ['nothing', [], 0],
    ['plain text', [0x61, 0x62], 2],
    ['continuation bytes alone', [0x80, 0x80, 0x80, 0x80, 0x80], 5],
    ['one continuation byte', [0x80], 1],
    ['a lone lead byte', [0x61, 0xc3], 1],
    ['three bytes of four', [0xf0, 0x9f, 0x8d], 0],
  ])('does not wait for ever over %s', (_, given, whole) => {
    expect(wholeCharacters(Uint8Array.from(given))).toBe(whole);
  });
});
