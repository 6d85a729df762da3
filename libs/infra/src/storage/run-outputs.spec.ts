import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { collectRunOutputs, OUTPUT_LIMITS } from './run-outputs.ts';
import { openDescriptors, TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

let run: string;
beforeEach(() => {
  run = temporary.newDirectory();
});

function write(path: string, content = path): void {
  mkdirSync(join(run, dirname(path)), { recursive: true });
  writeFileSync(join(run, path), content);
}

const pathsOf = async (...patterns: string[]): Promise<string[]> =>
  (await collectRunOutputs(run, patterns)).files.map(({ path }) => path);

describe('collecting outputs', () => {
  it('gives size and digest of what matches, in order of path', async () => {
    for (const path of ['b.csv', 'a/x.csv', 'a.csv', 'a/y.txt']) write(path, `content of ${path}`);
    const outputs = await collectRunOutputs(run, ['**/*.csv']);
    const fileOf = (path: string) => ({
      path,
      size: `content of ${path}`.length,
      sha256: createHash('sha256').update(`content of ${path}`).digest('hex'),
    });
    expect(outputs).toEqual({ files: ['a.csv', 'a/x.csv', 'b.csv'].map(fileOf), truncated: false });
  });

  it.each<[string, string[]]>([
    ['*', ['!not', 'a.csv', 'b(1).txt']],
    ['**', ['!not', 'a.csv', 'b(1).txt', 'r/1/x', 'r/2']],
    ['r/**', ['r/1/x', 'r/2']],
    ['r/*', ['r/2']],
    ['r/{1/x,2}', ['r/1/x', 'r/2']],
    ['?.csv', ['a.csv']],
    ['[a-c].csv', ['a.csv']],
    ['b(1).txt', ['b(1).txt']],
    ['!not', ['!not']],
    ['.hidden', ['.hidden']],
    ['.*', ['.hidden']],
    ['r/.h/*', ['r/.h/x']],
    ['.bramble/**', []],
    ['(((', []],
    ['[z-a]', []],
    ['r', []],
  ])('matches %s', async (pattern, expected) => {
    for (const path of ['!not', '.bramble/exit', '.hidden', 'a.csv', 'b(1).txt', 'r/.h/x', 'r/1/x', 'r/2'])
      write(path);
    await expect(pathsOf(pattern)).resolves.toEqual(expected);
  });

  it('asks for nothing where no pattern is given', async () => {
    await expect(collectRunOutputs(join(run, 'missing'), [])).resolves.toEqual({
      files: [],
      truncated: false,
    });
  });

  it('leaves out symlinks, FIFOs and what is behind symlinks', async () => {
    write('real/file');
    for (const to of ['/etc/passwd', '..', 'nowhere', 'real'])
      symlinkSync(to, join(run, `link${to.replace('/', '')}`.replaceAll('/', '')));
    symlinkSync(run, join(run, 'real/loop'));
    execFileSync('mkfifo', [join(run, 'fifo')]);
    await expect(collectRunOutputs(run, ['**'])).resolves.toMatchObject({
      files: [{ path: 'real/file' }],
      truncated: false,
    });
  });

  it.each(['new\nline', 'back\\slash', 'escape\u001b[2J', '\u00ff'])(
    'leaves out %j, which no request could ask for, and says so',
    async (name) => {
      write('good');
      writeFileSync(Buffer.from(`${run}/${name}`, 'latin1'), '');
      const outputs = await collectRunOutputs(run, ['**']);
      expect(outputs).toMatchObject({ files: [{ path: 'good' }], truncated: true });
    },
  );

  it('stops at the limits of files and bytes', async () => {
    for (let index = 0; index < 30; index += 1) write(`f${String(index).padStart(2, '0')}`, 'xxxx');
    const few = await collectRunOutputs(run, ['*'], { ...OUTPUT_LIMITS, maximumFiles: 10 });
    expect(few.truncated).toBe(true);
    expect(few.files.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, index) => `f0${index}`));
    const exact = await collectRunOutputs(run, ['*'], { maximumFiles: 30, maximumBytes: 120 });
    expect(exact).toMatchObject({ truncated: false, files: { length: 30 } });
    const short = await collectRunOutputs(run, ['*'], { maximumFiles: 30, maximumBytes: 119 });
    expect(short).toMatchObject({ truncated: true, files: { length: 29 } });
  });

  it('does not read a huge sparse file', async () => {
    write('huge');
    truncateSync(join(run, 'huge'), 2 ** 42);
    write('small');
    await expect(collectRunOutputs(run, ['*'])).resolves.toMatchObject({
      files: [{ path: 'small' }],
      truncated: true,
    });
  });

  it('goes no deeper than 64 levels, and no deeper than the patterns', async () => {
    write('d/'.repeat(63) + 'in');
    write('d/'.repeat(64) + 'out');
    const outputs = await collectRunOutputs(run, ['**']);
    expect(outputs).toMatchObject({ files: [{ path: 'd/'.repeat(63) + 'in' }], truncated: true });
    await expect(collectRunOutputs(run, ['*', 'd/*'])).resolves.toEqual({ files: [], truncated: false });
  });

  it('gives up on patterns that would take for ever', async () => {
    write('a'.repeat(250));
    const outputs = await collectRunOutputs(run, [`${'*a'.repeat(60)}b`]);
    expect(outputs).toEqual({ files: [], truncated: true });
  });

  it('neither fails nor is led astray in a tree that changes', async () => {
    const outside = temporary.newDirectory();
    writeFileSync(join(outside, 'f'), 'outside');
    const digestOutside = createHash('sha256').update('outside').digest('hex');
    for (let index = 0; index < 20; index += 1) write(`d${index}/f`, 'inside');
    symlinkSync(outside, join(run, 'link'));
    const changer = new Worker(CHANGER, { eval: true, workerData: run });
    try {
      await new Promise((ready) => changer.once('message', ready));
      for (let round = 0; round < 40; round += 1) {
        const { files } = await collectRunOutputs(run, ['**']);
        expect(files.map(({ sha256 }) => sha256)).not.toContain(digestOutside);
      }
    } finally {
      await changer.terminate();
    }
  });

  it('leaves no descriptor open', async () => {
    for (let index = 0; index < 20; index += 1) write(`d${index}/e/f`);
    const before = openDescriptors();
    await collectRunOutputs(run, ['**']);
    await collectRunOutputs(run, ['**'], { ...OUTPUT_LIMITS, maximumFiles: 1 });
    await collectRunOutputs(join(run, 'missing'), ['**']).catch(() => {});
    expect(openDescriptors()).toBe(before);
  });
});

const CHANGER = `
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { parentPort, workerData: run } = require('node:worker_threads');
for (let round = 0; ; round += 1) {
  const directory = run + '/d' + (round % 20);
  renameSync(directory, run + '/away');
  renameSync(run + '/link', directory);
  renameSync(directory, run + '/link');
  renameSync(run + '/away', directory);
  rmSync(directory + '/f');
  writeFileSync(directory + '/f', 'inside');
  if (round === 20) parentPort.postMessage('ready');
}
`;
