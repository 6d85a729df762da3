import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { StagedFile } from '#core/jobs/run-directory';
import { inParallel } from './in-parallel.ts';
import type { StorageLayout } from './storage-layout.ts';
import { StoredArtifactContents } from './stored-artifact-contents.ts';
import { StoredRunDirectories } from './stored-run-directories.ts';
import { sweepStaging } from './sweep-staging.ts';
import { allOf, newJobId, openDescriptors, someAccount, TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

const ACCOUNT = someAccount();
const LOGS = ['.bramble/stderr.log', '.bramble/stdout.log'];

let layout: StorageLayout;
let contents: StoredArtifactContents;
let runs: StoredRunDirectories;
let jobId: string;

beforeEach(() => {
  layout = temporary.newLayout();
  contents = new StoredArtifactContents(layout);
  runs = new StoredRunDirectories(layout, contents);
  jobId = newJobId();
});

const text = (path: string, content = path, mode = 0o644): StagedFile => ({
  path,
  mode,
  source: { text: content },
});

/** Everything below a directory, as `path mode uid:gid`. */
function treeOf(directory: string): string[] {
  return ['', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]
    .map((path) => {
      const { mode, uid, gid } = lstatSync(join(directory, path));
      return `${path} ${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
    })
    .sort();
}

describe('staging', () => {
  it('makes the run directory with its inputs, control directory and empty logs', async () => {
    const artifact = await contents.store(Readable.from([Buffer.alloc(700_000, 'a')]), { maximumBytes: 1e6 });
    const files: StagedFile[] = [
      text('deep/er/input.txt', 'é\n'),
      text('empty', ''),
      { path: 'data.bin', mode: 0o755, source: { sha256: artifact.sha256 } },
    ];
    await runs.stage(jobId, files, ACCOUNT);
    const directory = layout.runDirectory(jobId);
    expect(readFileSync(join(directory, 'deep/er/input.txt'), 'utf8')).toBe('é\n');
    expect(readFileSync(join(directory, 'data.bin'))).toEqual(Buffer.alloc(700_000, 'a'));
    for (const log of LOGS) expect(readFileSync(join(directory, log), 'utf8')).toBe('');
    expect(readdirSync(layout.staging)).toEqual([]);
  });

  it.each([0o000, 0o077])('gives exact modes and owners under a umask of %i', async (mask) => {
    const umask = process.umask(mask);
    try {
      await runs.stage(jobId, [text('a/b', '', 0o777), text('c', '', 0o600), text('d', '', 0o000)], ACCOUNT);
    } finally {
      process.umask(umask);
    }
    const owner = `${ACCOUNT.uid}:${ACCOUNT.gid}`;
    expect(treeOf(layout.runDirectory(jobId))).toEqual([
      ` 700 ${owner}`,
      `.bramble 700 ${owner}`,
      `.bramble/stderr.log 600 ${owner}`,
      `.bramble/stdout.log 600 ${owner}`,
      `a 700 ${owner}`,
      `a/b 777 ${owner}`,
      `c 600 ${owner}`,
      `d 0 ${owner}`,
    ]);
    expect(lstatSync(layout.runs).mode & 0o7777).toBe(0o711);
    expect(lstatSync(layout.staging).mode & 0o7777).toBe(0o700);
  });

  it('lets the given group in', async () => {
    const groupId = process.geteuid?.() === 0 ? 54_321 : (process.getegid?.() ?? 0);
    const shared = temporary.newLayout({ groupId });
    await new StoredRunDirectories(shared, contents).stage(jobId, [text('a/b', '', 0o640)], ACCOUNT);
    const owner = `${ACCOUNT.uid}:${groupId}`;
    expect(treeOf(shared.runDirectory(jobId))).toEqual([
      ` 2750 ${owner}`,
      `.bramble 2750 ${owner}`,
      `.bramble/stderr.log 640 ${owner}`,
      `.bramble/stdout.log 640 ${owner}`,
      `a 2750 ${owner}`,
      `a/b 640 ${owner}`,
    ]);
  });

  it('leaves a run directory that is there as it is', async () => {
    await runs.stage(jobId, [text('a', 'first')], ACCOUNT);
    writeFileSync(join(layout.runDirectory(jobId), 'made-by-the-job'), '');
    await runs.stage(jobId, [text('a', 'second')], ACCOUNT);
    expect(readFileSync(join(layout.runDirectory(jobId), 'a'), 'utf8')).toBe('first');
    expect(existsSync(join(layout.runDirectory(jobId), 'made-by-the-job'))).toBe(true);
  });

  it('does it once for eight workers at a time', async () => {
    const files = Array.from({ length: 20 }, (_, index) => text(`d${index % 3}/f${index}`));
    await Promise.all(Array.from({ length: 8 }, () => runs.stage(jobId, files, ACCOUNT)));
    expect(readdirSync(layout.staging)).toEqual([]);
    expect(readdirSync(layout.runs).sort()).toEqual(['.staging', jobId]);
    for (const { path } of files)
      expect(readFileSync(join(layout.runDirectory(jobId), path), 'utf8')).toBe(path);
  });

  it.each<[string, StagedFile[], string]>([
    ['../x', [text('../x')], 'must not have a "." or ".." part'],
    ['an absolute path', [text('/etc/passwd')], 'must be relative'],
    ['NUL', [text('a\0b')], 'control characters'],
    ['a newline', [text('a\nb')], 'control characters'],
    ['a name of too many bytes', [text('é'.repeat(200))], 'more than 255 bytes'],
    ['half a character', [text('a\ud800')], 'valid Unicode'],
    ['too many levels', [text('a/'.repeat(64) + 'a')], 'in more than 63 directories'],
    ['the control directory', [text('.bramble/exit')], 'must not be below ".bramble"'],
    ['the same path twice', [text('a'), text('a')], 'is there twice'],
    ['a file below a file', [text('a/b'), text('a')], 'another input is below it'],
    ['set-id bits', [text('a', '', 0o4755)], 'mode'],
  ])('refuses %s, for good', async (_, files, message) => {
    await expect(runs.stage(jobId, files, ACCOUNT)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(message) as unknown,
    });
    expect(existsSync(layout.runDirectory(jobId))).toBe(false);
  });

  it.each(['job_x', '../../etc', '', 'job_0000000000000000000000000A', `${'job_'.padEnd(30, '0')}\n`])(
    'refuses %j as the id of a job',
    async (id) => {
      await expect(runs.stage(id, [], ACCOUNT)).rejects.toMatchObject({ code: 'not_found' });
      expect(() => runs.clusterPath(id)).toThrow('There is no job');
    },
  );

  it('says which input has lost its content, or has it damaged, and leaves nothing', async () => {
    const { sha256 } = await contents.store(Readable.from([Buffer.from('right')]), { maximumBytes: 10 });
    const lost: StagedFile = { path: 'lost', mode: 0o644, source: { sha256: 'f'.repeat(64) } };
    await expect(runs.stage(jobId, [lost], ACCOUNT)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('"lost"') as unknown,
    });
    const stored = join(layout.contents, ...layout.contentNames(sha256));
    chmodSync(stored, 0o600);
    writeFileSync(stored, 'wrong');
    const damaged: StagedFile = { path: 'damaged', mode: 0o644, source: { sha256 } };
    await expect(runs.stage(jobId, [text('a'), damaged], ACCOUNT)).rejects.toMatchObject({
      code: 'digest_mismatch',
    });
    expect(readdirSync(layout.runs)).toEqual(['.staging']);
    expect(readdirSync(layout.staging)).toEqual([]);
  });

  it('is no problem of the job where the storage is away', async () => {
    const { sha256 } = await contents.store(Readable.from([Buffer.from('x')]), { maximumBytes: 10 });
    rmSync(join(layout.root, 'artifacts'), { recursive: true });
    const staging = runs.stage(jobId, [{ path: 'a', mode: 0o644, source: { sha256 } }], ACCOUNT);
    await expect(staging).rejects.toThrow('may not be mounted');
    rmSync(layout.root, { recursive: true });
    await expect(runs.stage(jobId, [text('a')], ACCOUNT)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(layout.root)).toBe(false);
  });

  it('leaves no descriptor open', async () => {
    const before = openDescriptors();
    await runs.stage(jobId, [text('a/b'), text('c')], ACCOUNT);
    const lost: StagedFile = { path: 'lost', mode: 0o644, source: { sha256: 'f'.repeat(64) } };
    await runs.stage(newJobId(), [text('x'), lost], ACCOUNT).catch(() => {});
    expect(openDescriptors()).toBe(before);
  });

  it(
    'leaves nothing or all where it is killed, and does the whole when it is run again',
    { timeout: 60_000 },
    async () => {
      const { sha256 } = await contents.store(Readable.from([Buffer.alloc(600_000, 'z')]), {
        maximumBytes: 1e6,
      });
      const files: StagedFile[] = [
        text('a/b/c', 'inner'),
        text('d', 'outer'),
        { path: 'e', mode: 0o600, source: { sha256 } },
      ];
      const complete = treeOf(await staged(newJobId(), files));
      const callsInAll = Number(await stageInChild(newJobId(), files, Infinity));
      expect(callsInAll).toBeGreaterThan(50);
      const killedAt = Array.from({ length: 14 }, (_, index) => 1 + Math.floor((index * callsInAll) / 14));
      let leftovers = 0;
      await inParallel(2, killedAt, async (call) => {
        const id = newJobId();
        expect(await stageInChild(id, files, call)).toBe('killed');
        const target = layout.runDirectory(id);
        if (existsSync(target)) expect(treeOf(target)).toEqual(complete);
        else leftovers += readdirSync(layout.staging).filter((name) => name.startsWith(id)).length;
        await staged(id, files);
        expect(treeOf(target)).toEqual(complete);
        expect(readFileSync(join(target, 'a/b/c'), 'utf8')).toBe('inner');
        expect(readFileSync(join(target, 'd'), 'utf8')).toBe('outer');
        expect(readFileSync(join(target, 'e'))).toEqual(Buffer.alloc(600_000, 'z'));
      });
      expect(leftovers).toBeGreaterThan(5);
      const dayAfter = new Date(Date.now() + 25 * 60 * 60 * 1000);
      expect(await sweepStaging(layout, dayAfter)).toBe(leftovers);
      expect(readdirSync(layout.staging)).toEqual([]);
    },
  );

  async function staged(id: string, files: readonly StagedFile[]): Promise<string> {
    await runs.stage(id, files, ACCOUNT);
    return layout.runDirectory(id);
  }

  /** Stages in a process that kills itself before its nth call of the file system; gives how many calls it made. */
  async function stageInChild(
    id: string,
    files: readonly StagedFile[],
    killedAt: number,
  ): Promise<number | 'killed'> {
    const input = JSON.stringify({
      root: layout.root,
      id,
      files,
      account: ACCOUNT,
      killedAt: String(killedAt),
    });
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--input-type=module-typescript', '--eval', STAGE_AND_DIE, input],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const output = allOf(child.stdout as AsyncIterable<Buffer>);
    const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
    return signal === 'SIGKILL' ? 'killed' : Number(Buffer.concat(await output).toString());
  }
});

const STAGE_AND_DIE = `
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { root, id, files, account, killedAt } = JSON.parse(process.argv[1]);
let calls = 0;
const countCallsOf = (object, names) => {
  for (const name of names) {
    const original = object[name];
    object[name] = function (...values) {
      calls += 1;
      if (calls === Number(killedAt)) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, values);
    };
  }
};
countCallsOf(fs, ['open', 'mkdir', 'rename', 'lstat', 'rm', 'chmod']);
const handle = await fs.open('/dev/null');
countCallsOf(Object.getPrototypeOf(handle), ['writeFile', 'chown', 'chmod', 'sync', 'read', 'stat']);
syncBuiltinESMExports();
const { StorageLayout } = await import('#infra/storage/storage-layout');
const { StoredArtifactContents } = await import('#infra/storage/stored-artifact-contents');
const { StoredRunDirectories } = await import('#infra/storage/stored-run-directories');
const layout = new StorageLayout({ root });
calls = 0;
await new StoredRunDirectories(layout, new StoredArtifactContents(layout)).stage(id, files, account);
process.stdout.write(String(calls));
`;

describe('sweepStaging', () => {
  it('removes what is older than a day and nothing else', async () => {
    await layout.prepare();
    const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
    mkdirSync(join(layout.staging, 'old/deep'), { recursive: true });
    symlinkSync(layout.root, join(layout.staging, 'old/link'));
    mkdirSync(join(layout.staging, 'young'));
    writeFileSync(join(layout.uploads, 'old'), '');
    writeFileSync(join(layout.uploads, 'young'), '');
    for (const directory of [layout.staging, layout.uploads]) utimesSync(join(directory, 'old'), old, old);
    expect(await sweepStaging(layout, new Date())).toBe(2);
    expect(readdirSync(layout.staging)).toEqual(['young']);
    expect(readdirSync(layout.uploads)).toEqual(['young']);
  });

  it('finds nothing on storage that nobody has used', async () => {
    expect(await sweepStaging(layout, new Date())).toBe(0);
  });
});

describe('records', () => {
  let control: string;
  beforeEach(async () => {
    await runs.stage(jobId, [], ACCOUNT);
    control = join(layout.runDirectory(jobId), '.bramble');
  });

  const claim = (content: string): void => {
    mkdirSync(join(control, 'claim'));
    writeFileSync(join(control, 'claim/slurm_job_id'), content);
  };

  it('are read as the batch script writes them', async () => {
    claim('4711\n');
    writeFileSync(join(control, 'start'), '{"slurmJobId":4711,"startedAt":1700000000}\n');
    writeFileSync(
      join(control, 'exit'),
      '{"slurmJobId":4711,"phase":"run","status":3,"endedAt":1700000009}\n',
    );
    await expect(runs.readClaim(jobId)).resolves.toEqual({ kind: 'present', value: 4711 });
    await expect(runs.readStart(jobId)).resolves.toEqual({
      kind: 'present',
      value: { slurmJobId: 4711, startedAt: 1_700_000_000 },
    });
    await expect(runs.readExit(jobId)).resolves.toEqual({
      kind: 'present',
      value: { slurmJobId: 4711, phase: 'run', status: 3, endedAt: 1_700_000_009 },
    });
  });

  it('are absent where their directory does not list them', async () => {
    for (const read of ['readClaim', 'readStart', 'readExit'] as const) {
      await expect(runs[read](jobId)).resolves.toEqual({ kind: 'absent' });
    }
    mkdirSync(join(control, 'claim'));
    await expect(runs.readClaim(jobId)).resolves.toEqual({ kind: 'absent' });
    rmSync(control, { recursive: true });
    await expect(runs.readClaim(jobId)).resolves.toEqual({ kind: 'absent' });
  });

  it('are unknown where the run directory, or the storage, is not there', async () => {
    await expect(runs.readClaim(newJobId())).resolves.toMatchObject({ kind: 'unknown' });
    renameSync(layout.root, `${layout.root}.away`);
    await expect(runs.readExit(jobId)).resolves.toMatchObject({ kind: 'unknown' });
    mkdirSync(layout.root);
    await expect(runs.readExit(jobId)).resolves.toMatchObject({ kind: 'unknown' });
  });

  it.each(['', 'x', '0', '-1', '1.5', '99999999999', '4294967296', '1 2', '{}'])(
    'are unknown where they cannot be understood: claim %j',
    async (content) => {
      claim(content);
      await expect(runs.readClaim(jobId)).resolves.toMatchObject({ kind: 'unknown' });
    },
  );

  it.each(['', '{', 'null', '[]', '{"slurmJobId":1,"phase":"run","status":256,"endedAt":1}'])(
    'are unknown where they cannot be understood: exit %j',
    async (content) => {
      writeFileSync(join(control, 'exit'), content);
      await expect(runs.readExit(jobId)).resolves.toMatchObject({ kind: 'unknown' });
    },
  );

  it('are unknown where they are larger than any record', async () => {
    const record = '{"slurmJobId":1,"startedAt":1}';
    writeFileSync(join(control, 'start'), record.padEnd(4096));
    await expect(runs.readStart(jobId)).resolves.toMatchObject({ kind: 'present' });
    writeFileSync(join(control, 'start'), record.padEnd(4097));
    await expect(runs.readStart(jobId)).resolves.toMatchObject({ kind: 'unknown' });
  });

  it('are unknown where the account has put something else in their place', async () => {
    symlinkSync('/etc/hostname', join(control, 'start'));
    execFileSync('mkfifo', [join(control, 'exit')]);
    symlinkSync('/etc', join(control, 'claim'));
    for (const read of ['readClaim', 'readStart', 'readExit'] as const) {
      await expect(runs[read](jobId)).resolves.toMatchObject({ kind: 'unknown' });
    }
  });

  it('do not fill the memory, and leave no descriptor open', async () => {
    const before = openDescriptors();
    writeFileSync(join(control, 'exit'), '');
    truncateSync(join(control, 'exit'), 2 ** 40);
    for (let round = 0; round < 20; round += 1) {
      await expect(runs.readExit(jobId)).resolves.toMatchObject({ kind: 'unknown' });
      await runs.readClaim(jobId);
      await runs.readClaim(newJobId());
    }
    expect(openDescriptors()).toBe(before);
  });
});

describe('the tail of a log', () => {
  let log: string;
  beforeEach(async () => {
    await runs.stage(jobId, [], ACCOUNT);
    log = join(layout.runDirectory(jobId), '.bramble/stdout.log');
  });

  it.each<[string, string, number, string]>([
    ['all of a short log', 'one\ntwo\n', 100, 'one\ntwo\n'],
    ['whole lines', 'one\ntwo\nthree\n', 8, 'three\n'],
    ['the end of a line that is too long', 'x'.repeat(20) + 'end', 5, 'xxend'],
    ['the end of a line that is too long, ended', 'x'.repeat(20) + 'end\n', 6, 'xxend\n'],
    ['whole characters', 'ééé', 3, 'é'],
    ['no NUL', 'a\0b', 10, 'a\uFFFDb'],
  ])('is %s', async (_, content, bytes, tail) => {
    writeFileSync(log, content);
    await expect(runs.readLogTail(jobId, 'stdout', bytes)).resolves.toBe(tail);
  });

  it('is empty where there is none, or something else in its place', async () => {
    await expect(runs.readLogTail(jobId, 'stderr', 100)).resolves.toBe('');
    rmSync(log);
    await expect(runs.readLogTail(jobId, 'stdout', 100)).resolves.toBe('');
    symlinkSync('/etc/passwd', log);
    await expect(runs.readLogTail(jobId, 'stdout', 100)).resolves.toBe('');
    rmSync(join(layout.runDirectory(jobId), '.bramble'), { recursive: true });
    symlinkSync('/etc', join(layout.runDirectory(jobId), '.bramble'));
    await expect(runs.readLogTail(jobId, 'stdout', 100)).resolves.toBe('');
    await expect(runs.readLogTail(newJobId(), 'stdout', 100)).resolves.toBe('');
  });

  it('does not fill the memory', async () => {
    truncateSync(log, 2 ** 40);
    await expect(runs.readLogTail(jobId, 'stdout', 4)).resolves.toBe('\uFFFD'.repeat(4));
  });
});

describe('the path for the nodes', () => {
  it('is below their root', () => {
    const other = temporary.newLayout({ clusterRoot: '/cluster/bramble/' });
    expect(new StoredRunDirectories(other, contents).clusterPath(jobId)).toBe(
      `/cluster/bramble/runs/${jobId}`,
    );
    expect(runs.clusterPath(jobId)).toBe(layout.runDirectory(jobId));
  });

  it.each(['relative', '/with space', '/%j', '/new\nline', "/quo'te"])(
    'may not be below %j',
    (clusterRoot) => {
      expect(() => temporary.newLayout({ clusterRoot })).toThrow('absolute path of plain characters');
    },
  );
});
