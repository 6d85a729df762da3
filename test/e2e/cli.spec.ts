import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { JobFailedError } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
const CLI = join(CHECKOUT, 'libs/sdk/bin/bramble.js');
const JOB_ID = /\bjob_[0-9a-z]{26}\b/;

let lab: SlurmLab;
let bramble: Installation;
let directory: string;

beforeAll(async () => {
  lab = await labUp();
  bramble = await startInstallation(lab);
  directory = mkdtempSync(join(tmpdir(), 'bramble-cli-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await bramble.stop();
});

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

const environment = (extra: Record<string, string> = {}) => ({
  PATH: process.env.PATH,
  BRAMBLE_URL: bramble.apiUrl,
  BRAMBLE_API_KEY: bramble.adminKey,
  ...extra,
});

const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [CLI, ...args], { cwd: CHECKOUT, env: environment(), stdio: 'pipe' });

/** Runs the command line as a process of its own, to its end. */
function cli(args: readonly string[], extra?: Record<string, string>): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd: CHECKOUT, env: environment(extra) };
    const child = execFile(process.execPath, [CLI, ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** Runs a command that has to succeed and print one JSON value. */
async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await cli(['--json', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

function script(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/bash\n${content}`);
  return file;
}

const jobIdIn = (printed: string): string => {
  const id = JOB_ID.exec(printed)?.[0];
  if (id === undefined) throw new Error(`there is no job id in: ${printed}`);
  return id;
};

describe('bramble submit', () => {
  it('runs an MPI source on all nodes, follows it, and downloads its outputs', async () => {
    const results = join(directory, 'results');
    const submit = ['submit', 'examples/pi.c', '--nodes', '4', '--tasks-per-node', '2', '--output', '*.csv'];
    const { code, stdout, stderr } = await cli([...submit, '--follow', '--download', results]);
    expect(code).toBe(0);
    const ranks = stdout.split('\n').filter((line) => line.startsWith('rank '));
    expect(ranks).toHaveLength(8);
    expect([...new Set(ranks.map((rank) => rank.split(' on ')[1]))].sort()).toEqual(lab.nodes);
    expect(stdout).toContain('pi = 3.1415926536\n');
    expect(stdout).toContain(`${join(results, 'pi.csv')}\n`);
    expect(readFileSync(join(results, 'pi.csv'), 'utf8')).toBe('ranks,pi\n8,3.1415926536\n');
    expect(stderr).toMatch(/^bramble: \S+ is job job_/);
    expect(stderr).toMatch(/completed after/);
  });

  it('prints the id and nothing else, for scripts', async () => {
    const { code, stdout, stderr } = await cli(['submit', '--', 'hostname']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^job_[0-9a-z]{26}\n$/);
    expect(await json('submit', '--', 'hostname')).toMatchObject({ state: 'accepted', finished: false });
  });

  it('keeps the streams of the job apart, and hands it arguments and variables as they are', async () => {
    const nasty = `a b $(id) "'\\*`;
    const { code, stdout, stderr } = await cli(
      [
        'submit',
        '--follow',
        '--env',
        'NASTY',
        '--',
        'sh',
        '-c',
        'printf "%s|%s\\n" "$NASTY" "$1"; echo no >&2',
        'sh',
        nasty,
      ],
      { NASTY: nasty },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${nasty}|${nasty}\n`);
    expect(stderr).toContain('\nno\n');
  });

  it.each([
    ['its exit code', 'exit 7\n', 7],
    ['128 and the signal that ended it', 'kill -SEGV $$\n', 139],
    ['128 and the signal that ended it, asked to wait', 'kill -KILL $$\n', 137],
  ])('ends as the job does: %s', async (name, content, code) => {
    const file = script('ends.sh', `echo last words\n${content}`);
    const watching = name.endsWith('wait') ? '--wait' : '--follow';
    const run = await cli(['submit', file, watching]);
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(/is failed/);
    expect(run.stdout + run.stderr).toContain('last words');
  });

  it('downloads nothing of a job that failed', async () => {
    const results = join(directory, 'nothing');
    const file = script('fails.sh', 'echo half > half.csv\nexit 3\n');
    const run = await cli(['submit', file, '--output', '*.csv', '--download', results]);
    expect(run.code).toBe(3);
    expect(() => readFileSync(join(results, 'half.csv'))).toThrow('ENOENT');
  });

  it('with --json prints lines of JSON alone', async () => {
    const { code, stdout, stderr } = await cli(['submit', '--follow', '--json', '--', 'echo', 'hello']);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ text: 'hello' }) as unknown,
      expect.objectContaining({ state: 'completed', exitCode: 0 }) as unknown,
    ]);
  });

  it('says in words why Slurm refuses', async () => {
    const { code, stdout, stderr } = await cli(['submit', '--partition', 'nosuch', '--wait', '--', 'true']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/is failed: .*partition/i);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('names the field of a request that is not right, with exit code 2', async () => {
    const { code, stdout, stderr } = await cli([
      'submit',
      '--nodes',
      '20000',
      '--time',
      'soon',
      '--',
      'true',
    ]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ {2}nodes: /m);
    expect(stderr).toMatch(/^ {2}timeLimit: /m);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['an option that there is not', ['submit', '--gpus', '1', '--', 'true'], '--gpus'],
    ['a file that is not there', ['submit', 'nosuch.c'], 'nosuch.c'],
    ['nothing to run', ['submit'], 'What is to be run?'],
  ])('refuses %s, with exit code 2', async (_, args, named) => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(named);
  });
});

describe('about a job that has ended', () => {
  let id: string;

  beforeAll(async () => {
    const file = script(
      'speaks.sh',
      'echo one; echo two; echo three; echo oops >&2; mkdir out; echo 1 > out/a.csv\n',
    );
    const submit = ['submit', file, '--name', 'speaks', '--label', 'study=42', '--output', 'out/*.csv'];
    const { stdout } = await cli([...submit, '--wait', '--json']);
    ({ id } = JSON.parse(stdout) as { id: string });
  });

  it('jobs finds it', async () => {
    const { code, stdout } = await cli(['jobs', '--label', 'study=42', '--state', 'completed']);
    expect(code).toBe(0);
    const [titles, ...rows] = stdout.trimEnd().split('\n');
    expect(titles).toMatch(/^ID +NAME +STATE +TIME +CREATED/);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(new RegExp(`^${id} +speaks +completed `));
    expect(await json('jobs', '--name', 'speaks')).toMatchObject({
      items: [{ id, labels: { study: '42' } }],
    });
    expect(await json('jobs', '--state', 'running', '--name', 'speaks')).toEqual({ items: [] });
  });

  it('job shows it', async () => {
    const { code, stdout } = await cli(['job', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^state +completed$/m);
    expect(stdout).toMatch(/^nodes +node0\d$/m);
    expect(stdout).toMatch(/^outputs +out\/a\.csv$/m);
    expect(await json('job', id)).toMatchObject({ id, state: 'completed', exitCode: 0 });
  });

  it('logs prints what it wrote', async () => {
    expect(await cli(['logs', id])).toEqual({ code: 0, stdout: 'one\ntwo\nthree\n', stderr: '' });
    expect(await cli(['logs', id, '--tail', '1'])).toEqual({ code: 0, stdout: 'three\n', stderr: '' });
    expect(await cli(['logs', id, '--stderr'])).toEqual({ code: 0, stdout: 'oops\n', stderr: '' });
    expect(await cli(['logs', '-f', id])).toEqual({ code: 0, stdout: 'one\ntwo\nthree\n', stderr: '' });
    expect(await json('logs', '--stderr', id)).toMatchObject({ text: 'oops' });
  });

  it('wait ends at once, as it did', async () => {
    expect((await cli(['wait', id])).code).toBe(0);
    expect(await json('wait', id)).toMatchObject({ id, state: 'completed' });
  });

  it('files lists its run directory', async () => {
    const { code, stdout } = await cli(['files', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^MODE +SIZE +MODIFIED +PATH$/m);
    expect(stdout).toMatch(/ directory .* out$/m);
    expect((await cli(['files', id, 'out'])).stdout).toMatch(/ out\/a\.csv$/m);
    expect(await json('files', id, '--recursive')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ path: 'out/a.csv', size: 2 })]) as unknown,
      truncated: false,
    });
  });

  it('download fetches its outputs, and never replaces by itself', async () => {
    const results = join(directory, 'later');
    const file = join(results, 'out/a.csv');
    expect(await cli(['download', id, results])).toEqual({ code: 0, stdout: `${file}\n`, stderr: '' });
    writeFileSync(file, 'mine\n');
    const refused = await cli(['download', id, results]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('out/a.csv');
    expect(readFileSync(file, 'utf8')).toBe('mine\n');
    expect(await json('download', id, results, '--overwrite')).toMatchObject({
      files: [{ localPath: file }],
    });
    expect(readFileSync(file, 'utf8')).toBe('1\n');
  });

  it('cancel says that it is over', async () => {
    const { code, stderr } = await cli(['cancel', id]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ended|completed|finished/i);
  });
});

describe('bramble cancel', () => {
  it('ends a job, and wait answers how', async () => {
    const { stdout: printed } = await cli(['submit', '--', 'sleep', '600']);
    const id = jobIdIn(printed);
    const early = await cli(['wait', id, '--timeout', '1']);
    expect(early.code).toBe(124);
    const { code, stdout } = await cli(['cancel', id]);
    expect([code, jobIdIn(stdout)]).toEqual([0, id]);
    const waited = await cli(['wait', id]);
    expect(waited.code).toBeGreaterThan(0);
    expect(waited.stderr).toMatch(/is cancelled/);
    expect(await json('jobs', '--state', 'cancelled')).toMatchObject({ items: [{ id }] });
  });

  it('with --json answers the job', async () => {
    const { stdout } = await cli(['submit', '--', 'sleep', '600']);
    const id = jobIdIn(stdout);
    expect(await json('cancel', id)).toMatchObject({ id, cancelRequestedAt: expect.any(String) as unknown });
    expect((await cli(['wait', id])).code).toBeGreaterThan(0);
  });
});

describe('the cluster', () => {
  it('nodes', async () => {
    const { code, stdout } = await cli(['nodes']);
    expect(code).toBe(0);
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(' ')[0]);
    expect(names).toEqual(['NAME', ...lab.nodes]);
    expect(await json('nodes')).toMatchObject({ items: lab.nodes.map((name) => ({ name })) });
  });

  it('partitions', async () => {
    const { code, stdout } = await cli(['partitions']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${String(lab.partitions[0])}\\* +up +4 `, 'm'));
    const { items } = (await json('partitions')) as { items: { name: string }[] };
    expect(items.map(({ name }) => name).sort()).toEqual([...lab.partitions].sort());
  });

  it('cluster', async () => {
    const { code, stdout } = await cli(['cluster']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^cluster +${lab.clusterName}$`, 'm'));
    expect(stdout).toMatch(/^nodes +4 of 4 available$/m);
    expect(await json('cluster')).toMatchObject({ name: lab.clusterName, nodes: { total: 4 } });
  });
});

describe('what keeps it from the API is said in words', () => {
  it('a wrong key, without the key', async () => {
    const key = `${bramble.adminKey.slice(0, -4)}zzzz`;
    const { code, stdout, stderr } = await cli(['jobs'], { BRAMBLE_API_KEY: key });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/key/i);
    expect(stderr).not.toContain(key);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('no key, and no URL', async () => {
    const withoutKey = await cli(['jobs'], { BRAMBLE_API_KEY: '' });
    expect(withoutKey.code).toBe(2);
    expect(withoutKey.stderr).toContain('BRAMBLE_API_KEY');
    const withoutUrl = await cli(['jobs'], { BRAMBLE_URL: '' });
    expect(withoutUrl.code).toBe(2);
    expect(withoutUrl.stderr).toContain('BRAMBLE_URL');
  });

  it('an API that is down', async () => {
    const url = await closedAddress();
    const { code, stdout, stderr } = await cli(['jobs'], { BRAMBLE_URL: url });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^bramble: GET ${url}/v1/jobs did not get through: .*ECONNREFUSED`));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain(bramble.adminKey);
  });

  it('an answer that is not of Bramble', async () => {
    const { code, stderr } = await cli(['jobs', '--url', `${bramble.apiUrl}/docs`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bramble: \S/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('Ctrl-C', () => {
  const waitForGo = 'echo started\nuntil [ -e go ]; do sleep 0.1; done\necho finished\n';
  const letGo = (id: string) => writeFileSync(join(bramble.storage, 'runs', id, 'go'), '');

  /** Presses Ctrl-C when the job has said that it has started. */
  async function interruptWhenStarted(child: ChildProcess): Promise<Run> {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the process has no output');
    const errors = text(stderr);
    const exit = once(child, 'exit');
    let printed = '';
    for await (const chunk of stdout) {
      printed += String(chunk);
      if (printed.includes('started\n')) child.kill('SIGINT');
    }
    await exit;
    return { code: child.exitCode, stdout: printed, stderr: await errors };
  }

  it('while following ends the following, and the job goes on', async () => {
    const child = start([
      'submit',
      script('waits.sh', waitForGo),
      '--follow',
      '--download',
      join(directory, 'none'),
    ]);
    const run = await interruptWhenStarted(child);
    expect([run.code, run.stdout]).toEqual([130, 'started\n']);
    expect(run.stderr).toContain('the job goes on');
    const id = jobIdIn(run.stderr.slice(run.stderr.indexOf('the job goes on')));
    const job = await bramble.admin.jobs.get(id);
    expect((await job.wait({ until: 'running' })).state).toBe('running');
    letGo(id);
    await job.wait();
    expect(await job.logText()).toBe('started\nfinished\n');
  });

  it('in logs --follow leaves the job alone too', async () => {
    const job = await bramble.admin.jobs.submit({ script: `#!/bin/bash\n${waitForGo}` });
    const run = await interruptWhenStarted(start(['logs', '-f', job.id]));
    expect([run.code, run.stdout]).toEqual([130, 'started\n']);
    expect((await job.wait({ until: 'running' })).state).toBe('running');
    letGo(job.id);
    await job.wait();
  });

  it('while waiting leaves the job alone too, and cancel ends it', async () => {
    const child = start(['submit', '--wait', '--', 'sleep', '600']);
    const [printed] = (await once(child.stderr ?? child, 'data')) as [Buffer];
    const job = await bramble.admin.jobs.get(jobIdIn(String(printed)));
    await job.wait({ until: 'running' });
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(130);
    expect((await job.refresh()).state).toBe('running');
    expect((await cli(['cancel', job.id])).code).toBe(0);
    await expect(job.wait()).rejects.toThrow(JobFailedError);
  });
});

/** The URL of a port on which nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
