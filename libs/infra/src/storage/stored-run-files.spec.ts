import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  openSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { OpenFile } from '#core/jobs/run-files';
import type { StorageLayout } from './storage-layout.ts';
import { StoredArtifactContents } from './stored-artifact-contents.ts';
import { StoredRunDirectories } from './stored-run-directories.ts';
import { StoredRunFiles } from './stored-run-files.ts';
import { allOf, newJobId, openDescriptors, someAccount, TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

let layout: StorageLayout;
let files: StoredRunFiles;
let jobId: string;
let run: string;

beforeEach(async () => {
  layout = temporary.newLayout();
  files = new StoredRunFiles(layout);
  jobId = newJobId();
  await new StoredRunDirectories(layout, new StoredArtifactContents(layout)).stage(jobId, [], someAccount());
  run = layout.runDirectory(jobId);
});

const ALL = { recursive: false, limit: 1000 };
const problem = (code: string) => ({ name: 'Problem', code });

async function contentOf(file: OpenFile, range?: { start: number; end: number }): Promise<string> {
  return Buffer.concat(await allOf(file.read(range))).toString();
}

describe('list', () => {
  it('gives name, type, size, mode and time in order of name', async () => {
    mkdirSync(join(run, 'b'));
    writeFileSync(join(run, 'a'), 'four', { mode: 0o640 });
    symlinkSync('/etc/passwd', join(run, 'c'));
    execFileSync('mkfifo', [join(run, 'd')]);
    const at = new Date('2024-02-29T12:00:00.000Z');
    utimesSync(join(run, 'a'), at, at);
    const { files: found, truncated } = await files.list(jobId, '', ALL);
    expect(truncated).toBe(false);
    expect(found.map(({ path, type, size }) => `${path} ${type} ${size}`)).toEqual([
      'a file 4',
      'b directory 0',
      'c symlink 0',
      'd other 0',
    ]);
    expect(found[0]).toMatchObject({ mode: '0640', modifiedAt: '2024-02-29T12:00:00.000Z' });
  });

  it('goes into directories where asked to, and into no symlink', async () => {
    mkdirSync(join(run, 'a/b'), { recursive: true });
    writeFileSync(join(run, 'a/b/c'), '');
    writeFileSync(join(run, 'a.txt'), '');
    symlinkSync('..', join(run, 'a/up'));
    const listed = async (directory: string, recursive: boolean): Promise<string[]> =>
      (await files.list(jobId, directory, { recursive, limit: 1000 })).files.map(({ path }) => path);
    await expect(listed('', true)).resolves.toEqual(['a', 'a/b', 'a/b/c', 'a/up', 'a.txt']);
    await expect(listed('a', false)).resolves.toEqual(['a/b', 'a/up']);
    await expect(listed('a', true)).resolves.toEqual(['a/b', 'a/b/c', 'a/up']);
  });

  it('stops at the limit and says so', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(run, name), '');
    await expect(files.list(jobId, '', { recursive: true, limit: 2 })).resolves.toMatchObject({
      files: [{ path: 'a' }, { path: 'b' }],
      truncated: true,
    });
    await expect(files.list(jobId, '', { recursive: true, limit: 3 })).resolves.toMatchObject({
      truncated: false,
    });
  });

  it.each([
    '../..',
    '..',
    '/',
    '/etc',
    'a//b',
    'file',
    'link',
    'link/ssl',
    'missing',
    '.bramble',
    '.bramble/claim',
    'a\0',
  ])('finds no directory %j', async (directory) => {
    writeFileSync(join(run, 'file'), '');
    symlinkSync('/etc', join(run, 'link'));
    await expect(files.list(jobId, directory, ALL)).rejects.toMatchObject(problem('not_found'));
  });

  it('does not take storage that is away for a directory that is missing', async () => {
    await expect(files.list(newJobId(), '', ALL)).rejects.toMatchObject(problem('not_found'));
    renameSync(layout.runs, `${layout.runs}.away`);
    await expect(files.list(jobId, '', ALL)).rejects.toThrow('may not be mounted');
    await expect(files.open(jobId, 'a')).rejects.toThrow('may not be mounted');
    await expect(files.logSize(jobId, 'stdout')).rejects.toThrow('may not be mounted');
  });
});

describe('open', () => {
  it('gives the content, whole and in ranges', async () => {
    writeFileSync(join(run, 'a'), '0123456789');
    const file = await files.open(jobId, 'a');
    expect(file.size).toBe(10);
    await expect(contentOf(file)).resolves.toBe('0123456789');
    await expect(contentOf(file, { start: 0, end: 0 })).resolves.toBe('0');
    await expect(contentOf(file, { start: 3, end: 5 })).resolves.toBe('345');
    await expect(contentOf(file, { start: 8, end: 99 })).resolves.toBe('89');
    await expect(contentOf(file, { start: 10, end: 20 })).resolves.toBe('');
    await file.close();
  });

  it('stays with the file that was opened, up to the size it had', async () => {
    writeFileSync(join(run, 'a'), 'first');
    const file = await files.open(jobId, 'a');
    appendFileSync(join(run, 'a'), ' and more');
    renameSync(join(run, 'a'), join(run, 'b'));
    writeFileSync(join(run, 'a'), 'other');
    await expect(contentOf(file)).resolves.toBe('first');
    await expect(contentOf(file, { start: 3, end: 99 })).resolves.toBe('st');
    truncateSync(join(run, 'b'), 2);
    await expect(contentOf(file)).resolves.toBe('fi');
    await file.close();
  });

  it('reads ranges of a huge sparse file where they are', async () => {
    const at = 2 ** 42;
    const descriptor = openSync(join(run, 'huge'), 'w');
    writeSync(descriptor, 'end', at);
    closeSync(descriptor);
    const file = await files.open(jobId, 'huge');
    expect(file.size).toBe(at + 3);
    await expect(contentOf(file, { start: at, end: at + 2 })).resolves.toBe('end');
    await expect(contentOf(file, { start: at - 2, end: at })).resolves.toBe('\0\0e');
    await file.close();
  });

  it('lets a read end that is under way when it is closed', async () => {
    writeFileSync(join(run, 'a'), 'x'.repeat(1_000_000));
    const before = openDescriptors();
    for (let round = 0; round < 20; round += 1) {
      const file = await files.open(jobId, 'a');
      const [first] = await Promise.all([file.read()[Symbol.asyncIterator]().next(), file.close()]);
      expect(first.done).toBe(false);
    }
    expect(openDescriptors()).toBe(before);
  });

  it.each([
    '../../../etc/passwd',
    '/etc/passwd',
    'missing',
    'a/b',
    'link/passwd',
    'up/x',
    '.bramble/stdout.log',
    '',
    'a\nb',
    'x'.repeat(300),
  ])('finds no file %j', async (path) => {
    writeFileSync(join(run, 'a'), '');
    symlinkSync('/etc', join(run, 'link'));
    symlinkSync('..', join(run, 'up'));
    await expect(files.open(jobId, path)).rejects.toMatchObject(problem('not_found'));
  });

  it('opens nothing but regular files', async () => {
    mkdirSync(join(run, 'directory'));
    symlinkSync('/etc/passwd', join(run, 'link'));
    symlinkSync('nowhere', join(run, 'dangling'));
    execFileSync('mkfifo', [join(run, 'fifo')]);
    const before = openDescriptors();
    for (const name of ['directory', 'link', 'dangling', 'fifo']) {
      await expect(files.open(jobId, name)).rejects.toMatchObject(problem('not_a_regular_file'));
    }
    expect(openDescriptors()).toBe(before);
  });
});

describe('logs', () => {
  let log: string;
  beforeEach(() => {
    log = join(run, '.bramble/stderr.log');
  });

  const read = async (offset: number, bytes: number): Promise<string> =>
    Buffer.from(await files.readLog(jobId, 'stderr', offset, bytes)).toString();

  it('are read from an offset', async () => {
    writeFileSync(log, '0123456789');
    await expect(files.logSize(jobId, 'stderr')).resolves.toBe(10);
    await expect(read(0, 100)).resolves.toBe('0123456789');
    await expect(read(4, 3)).resolves.toBe('456');
    await expect(read(10, 3)).resolves.toBe('');
    await expect(read(11, 3)).resolves.toBe('');
    await expect(read(2 ** 50, 3)).resolves.toBe('');
  });

  it('are empty before there are any, and where something else is in their place', async () => {
    await expect(files.logSize(newJobId(), 'stdout')).resolves.toBe(0);
    rmSync(log);
    await expect(read(0, 10)).resolves.toBe('');
    symlinkSync('/etc/passwd', log);
    await expect(read(0, 10)).resolves.toBe('');
    await expect(files.logSize(jobId, 'stderr')).resolves.toBe(0);
    rmSync(log);
    execFileSync('mkfifo', [log]);
    await expect(read(0, 10)).resolves.toBe('');
  });
});
