import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobResource } from '../index.ts';
import { openEventStream, serverSentEvent } from '../testing/event-stream.ts';
import { completedJob, failedJob, JOB_ID, jobResource } from '../testing/job-resource.ts';
import {
  answerJson,
  answerProblem,
  type LocalServer,
  localServer,
  type ReceivedRequest,
  TEST_KEY,
} from '../testing/local-server.ts';
import { RecordedTerminal } from '../testing/recorded-terminal.ts';
import { run } from './run.ts';

interface ClusterOptions {
  /** What the job is when it is asked for; by default it has completed. */
  job?: JobResource;
  stdout?: string;
  stderr?: string;
  /** Leaves the log open. */
  endless?: boolean;
}

/** A server with one job, which takes any submission. */
const clusterServer = ({
  job = completedJob(),
  stdout = '',
  stderr = '',
  endless = false,
}: ClusterOptions = {}) =>
  localServer((request, response) => {
    const { method, path, query } = request;
    if (method === 'POST' && path === '/v1/jobs') answerJson(response, jobResource(), 202);
    else if (path.endsWith('/cancel')) answerJson(response, jobResource({ state: 'running' }), 202);
    else if (path.endsWith('/logs'))
      answerLog(response, query.get('stream') === 'stderr' ? stderr : stdout, endless);
    else if (path.endsWith('/outputs')) answerJson(response, { items: [OUTPUT] });
    else if (path.endsWith('/files/pi.csv')) response.end(CSV);
    else if (path === '/v1/jobs') answerJson(response, { items: [job], next: null });
    else answerJson(response, job);
  });

function answerLog(response: ServerResponse, text: string, endless: boolean): void {
  openEventStream(response);
  if (text !== '') response.write(serverSentEvent('log', { offset: 0, text }, text.length));
  if (!endless) response.end(serverSentEvent('end', { state: 'completed' }));
}

const CSV = 'ranks,pi\n4,3.14\n';
const OUTPUT = { path: 'pi.csv', size: CSV.length, sha256: createHash('sha256').update(CSV).digest('hex') };

const terminalFor = ({ url }: LocalServer, environment: Record<string, string> = {}) =>
  new RecordedTerminal({ BRAMBLE_URL: url, BRAMBLE_API_KEY: TEST_KEY, ...environment });

const submissionTo = ({ requests }: LocalServer) =>
  requests.find(({ method, path }) => method === 'POST' && path === '/v1/jobs')?.json();

let directory: string;
let source: string;
let script: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bramble-cli-'));
  source = join(directory, 'pi.c');
  script = join(directory, 'job.sh');
  await writeFile(source, 'int main;\n');
  await writeFile(script, '#!/bin/bash\necho hello\n');
  await chmod(script, 0o755);
  await writeFile(join(directory, 'a:b.dat'), 'data\n');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('submit', () => {
  it('makes a job of all its options', async () => {
    const server = await clusterServer();
    const terminal = terminalFor(server, { TOKEN: 'abc' });
    const argv = [
      ...['submit', source, '--nodes', '4', '--tasks', '16', '--tasks-per-node', '4', '--cpus-per-task', '1'],
      ...['--memory', '512M', '--time', '10m', '--partition', 'rpi', '--constraint', 'rpi4&arm64'],
      ...['--account', 'physics', '--qos', 'high', '--exclusive', '--name', 'pi day', '--launcher', 'srun'],
      ...['--env', 'A=1=2', '--env', 'TOKEN', '--label', 'study=42', '--output', '*.csv', '--output', 'r/**'],
      ...[
        '--input',
        script,
        '--input',
        `${join(directory, 'a:b.dat')}:in/mesh`,
        '--input',
        join(directory, 'a:b.dat'),
      ],
      ...[
        '--compiler-flag=-O3',
        '--compiler-flag=-Wall',
        '--program-args',
        'one',
        'two',
        '--idempotency-key',
        'k1',
      ],
      ...['--', '--steps', '3'],
    ];
    expect(await run(argv, terminal)).toBe(0);
    expect(terminal.written).toBe(`${JOB_ID}\n`);
    expect(terminal.errors).toBe('');
    expect(submissionTo(server)).toEqual({
      name: 'pi day',
      mpi: {
        source: { name: 'pi.c', content: 'int main;\n' },
        args: ['one', 'two', '--steps', '3'],
        compilerFlags: ['-O3', '-Wall'],
        launcher: 'srun',
      },
      ...{ nodes: 4, tasks: 16, tasksPerNode: 4, cpusPerTask: 1, memory: '512M', timeLimit: '10m' },
      ...{ partition: 'rpi', constraint: 'rpi4&arm64', account: 'physics', qos: 'high', exclusive: true },
      env: { A: '1=2', TOKEN: 'abc' },
      labels: { study: '42' },
      inputs: [
        { path: 'job.sh', content: '#!/bin/bash\necho hello\n', mode: '0755' },
        { path: 'in/mesh', content: 'data\n' },
        { path: 'a:b.dat', content: 'data\n' },
      ],
      outputs: ['*.csv', 'r/**'],
    });
    expect(server.requests[0]?.headers['idempotency-key']).toBe('k1');
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${TEST_KEY}`);
  });

  it('takes a script, a command, and a command that MPI starts', async () => {
    const server = await clusterServer();
    const submissions: unknown[] = [];
    for (const argv of [
      ['submit', script],
      ['submit', '--nodes', '2', '--', 'srun', 'hostname', '--json'],
      ['submit', '--mpi', '--', './solver', 'mesh.dat'],
    ]) {
      server.requests.length = 0;
      expect(await run(argv, terminalFor(server))).toBe(0);
      submissions.push(submissionTo(server));
    }
    expect(submissions).toEqual([
      { name: 'job.sh', script: '#!/bin/bash\necho hello\n' },
      { command: ['srun', 'hostname', '--json'], nodes: 2 },
      { mpi: { program: './solver', args: ['mesh.dat'] } },
    ]);
  });

  it('leaves the name of a script to its own line, or to --name', async () => {
    const server = await clusterServer();
    const named = join(directory, 'named.sh');
    await writeFile(named, '#!/bin/bash\n#SBATCH -N 2 --job-name=own\n');
    expect(await run(['submit', named], terminalFor(server))).toBe(0);
    expect(submissionTo(server)).not.toHaveProperty('name');
    server.requests.length = 0;
    expect(await run(['submit', script, '--name', 'mine'], terminalFor(server))).toBe(0);
    expect(submissionTo(server)).toMatchObject({ name: 'mine' });
  });

  it('prints what the job writes with --follow, to where the job wrote it', async () => {
    const server = await clusterServer({ stdout: 'pi = 3.14\nbye', stderr: 'warning\n' });
    const terminal = terminalFor(server);
    expect(await run(['submit', source, '--follow'], terminal)).toBe(0);
    expect(terminal.written).toBe('pi = 3.14\nbye\n');
    expect(terminal.errors).toContain('warning\n');
    expect(terminal.errors).toContain(`bramble: pi is job ${JOB_ID}\n`);
  });

  it.each([
    ['its exit code', failedJob({ exitCode: 3 }), 3],
    ['128 + n for signal n', failedJob({ exitCode: null, signal: 11 }), 139],
    ['124 where it ran out of time', failedJob({ state: 'timed_out', exitCode: null, signal: 15 }), 124],
    ['1 where there is no code', failedJob({ state: 'node_failed', exitCode: null }), 1],
    ['1 where it failed with code 0', failedJob({ exitCode: 0 }), 1],
    ['0 where it completed', completedJob(), 0],
  ])('--wait, --follow and wait exit with %s', async (_, job, code) => {
    const server = await clusterServer({ job });
    expect(await run(['submit', source, '--wait'], terminalFor(server))).toBe(code);
    expect(await run(['submit', source, '--follow'], terminalFor(server))).toBe(code);
    const terminal = terminalFor(server);
    expect(await run(['wait', JOB_ID], terminal)).toBe(code);
    if (code !== 0) expect(terminal.errors).toContain('no such mesh');
  });

  it('prints JSON with --json: the job, or a line for each line of the log and the job at last', async () => {
    const server = await clusterServer({ job: failedJob(), stdout: 'one\ntwo\n' });
    const submitted = terminalFor(server);
    expect(await run(['submit', source, '--json'], submitted)).toBe(0);
    expect(JSON.parse(submitted.written)).toEqual(jobResource());
    const followed = terminalFor(server);
    expect(await run(['--json', 'submit', source, '--follow'], followed)).toBe(3);
    const lines = followed.written
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { text: 'one', stream: 'stdout', offset: 0 },
      { text: 'two', stream: 'stdout', offset: 4 },
      failedJob(),
    ]);
    expect(followed.errors).toBe('');
  });

  it('downloads the outputs of a job that has completed', async () => {
    const target = join(directory, 'results');
    const terminal = terminalFor(await clusterServer());
    expect(await run(['submit', source, '--download', target], terminal)).toBe(0);
    expect(terminal.written).toBe(`${join(target, 'pi.csv')}\n`);
    expect(await readFile(join(target, 'pi.csv'), 'utf8')).toBe(CSV);
  });

  it('stops following at Ctrl-C, and says that the job goes on', async () => {
    const server = await clusterServer({
      stdout: 'one\n',
      endless: true,
      job: jobResource({ state: 'running' }),
    });
    const terminal = terminalFor(server);
    const running = run(['submit', source, '--follow'], terminal);
    await expect.poll(() => terminal.written).toBe('one\n');
    terminal.pressControlC();
    expect(await running).toBe(130);
    expect(terminal.errors).toContain('the job goes on');
    expect(terminal.errors).toContain(`bramble cancel ${JOB_ID}`);
    expect(server.requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
  });

  it('tells a person who waits why the job waits', async () => {
    const reason = { code: 'Resources', message: 'It waits for free nodes.' };
    const event = {
      jobId: JOB_ID,
      seq: 1,
      type: 'state',
      state: 'queued',
      reason,
      at: '2031-04-05T06:07:08.000Z',
    };
    const server = await localServer(({ method, path }, response) => {
      if (method === 'POST') {
        answerJson(response, jobResource(), 202);
        return;
      }
      if (!path.endsWith('/events')) return void setTimeout(() => answerJson(response, completedJob()), 200);
      openEventStream(response);
      response.write(serverSentEvent('state', event, 1));
    });
    const terminal = terminalFor(server);
    terminal.errIsTerminal = true;
    expect(await run(['submit', source, '--wait'], terminal)).toBe(0);
    expect(terminal.errors).toContain('bramble: queued – It waits for free nodes.\n');
  });
});

describe('usage', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['fly']],
    ['an unknown option', ['jobs', '--fly']],
    ['no job', ['submit']],
    ['an empty command', ['submit', '--']],
    ['a number that is none', ['submit', 'pi.c', '--nodes', '0']],
    ['a file that is not there', ['submit', 'nowhere.c']],
    ['a directory', ['submit', tmpdir()]],
    ['a variable without a name', ['submit', '--env', '=1', '--', 'true']],
    ['a variable that is not there', ['submit', '--env', 'NOWHERE', '--', 'true']],
    ['a state that is none', ['jobs', '--state', 'flying']],
    ['arguments behind "--" where there is no use for them', ['jobs', '--', 'x']],
    ['a launcher for what is no MPI program', ['submit', '--launcher', 'srun', '--', 'true']],
  ])('exits with 2 for %s', async (_, argv) => {
    const server = await clusterServer();
    const terminal = terminalFor(server);
    expect(await run(argv, terminal)).toBe(2);
    expect(terminal.errors).not.toBe('');
    expect(terminal.written).toBe('');
    expect(server.requests).toHaveLength(0);
  });

  it('exits with 2 for a script without "#!" and for arguments of a script', async () => {
    const terminal = terminalFor(await clusterServer());
    await writeFile(join(directory, 'notes.txt'), 'hello\n');
    expect(await run(['submit', join(directory, 'notes.txt')], terminal)).toBe(2);
    expect(terminal.errors).toContain('begins with "#!"');
    expect(await run(['submit', script, '--', 'x'], terminal)).toBe(2);
  });

  it('exits with 2 for an invalid request, and lists the faults by field', async () => {
    const faults = [
      { field: 'nodes', message: 'must be at most 10000' },
      { field: 'timeLimit', message: 'must be a duration' },
    ];
    const server = await localServer((_, response) =>
      answerProblem(response, 400, 'invalid_request', { faults }),
    );
    const terminal = terminalFor(server);
    expect(await run(['submit', '--', 'true'], terminal)).toBe(2);
    expect(terminal.errors).toBe(
      'bramble: It is not right.\n  nodes: must be at most 10000\n  timeLimit: must be a duration\n  request req-12345678\n',
    );
  });

  it('exits with 2 where the URL or the key is missing, and never looks for the key on the command line', async () => {
    const terminal = new RecordedTerminal({});
    expect(await run(['jobs'], terminal)).toBe(2);
    expect(terminal.errors).toContain('BRAMBLE_URL');
    expect(await run(['jobs', '--url', 'http://127.0.0.1:1', '--api-key', 'x'], terminal)).toBe(2);
  });

  it('exits with 1 for other errors', async () => {
    const server = await localServer((_, response) => answerProblem(response, 404, 'not_found'));
    const terminal = terminalFor(server);
    expect(await run(['job', JOB_ID], terminal)).toBe(1);
    expect(terminal.errors).toBe('bramble: It is not right.\n  request req-12345678\n');
  });

  it('helps', async () => {
    const terminal = new RecordedTerminal({});
    expect(await run(['submit', '--help'], terminal)).toBe(0);
    expect(terminal.written).toContain('bramble submit pi.c --nodes 4 --tasks-per-node 4 --follow');
    expect(await run(['--version'], terminal)).toBe(0);
  });

  it.each(['bash', 'zsh', 'fish'])('prints completions for %s', async (shell) => {
    const terminal = new RecordedTerminal({});
    expect(await run(['completion', shell], terminal)).toBe(0);
    expect(terminal.written).toContain('tasks-per-node');
    expect(terminal.written).toContain('catalog show');
    expect(terminal.written).toContain('keep-failed');
  });
});

describe('other commands', () => {
  const job = jobResource({
    state: 'running',
    slurm: { cluster: 'pis', jobId: 7, nodeList: 'node[01-04]', observedAt: null },
    labels: { study: '42' },
  });

  it('list jobs in columns, and send the filters', async () => {
    const server = await clusterServer({ job });
    const terminal = terminalFor(server);
    const argv = ['jobs', '--state', 'running', '--state', 'queued', '--label', 'study=42', '--limit', '5'];
    expect(await run(argv, terminal)).toBe(0);
    const [titles = '', line = ''] = terminal.written.split('\n');
    expect(titles).toMatch(/^ID +NAME +STATE +TIME +CREATED +WHERE OR WHY$/);
    expect(line.indexOf('running')).toBe(titles.indexOf('STATE'));
    expect(line).toContain('node[01-04]');
    expect(line).not.toContain('\x1b');
    expect(server.requests[0]?.query.toString()).toBe('limit=5&state=running&state=queued&label=study%3D42');
  });

  it('colour states on a terminal, unless NO_COLOR is set', async () => {
    const server = await clusterServer({ job });
    for (const [environment, coloured] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      const terminal = terminalFor(server, environment);
      terminal.outIsTerminal = true;
      await run(['jobs'], terminal);
      expect(terminal.written.includes('\x1b[34mrunning\x1b[0m')).toBe(coloured);
    }
  });

  it('keep terminal sequences of others away from the terminal', async () => {
    const reason = { code: 'x', message: 'bad\x1b]0;title\x07\nnews' };
    const terminal = terminalFor(await clusterServer({ job: jobResource({ reason }) }));
    await run(['job', JOB_ID], terminal);
    expect(terminal.written).toContain('bad ]0;title news (x)');
  });

  it('print a job, logs, files and a cancelled job', async () => {
    const server = await clusterServer({ job, stdout: 'one\n', stderr: 'two\n' });
    const print = async (...argv: string[]) => {
      const terminal = terminalFor(server);
      expect(await run(argv, terminal)).toBe(0);
      return terminal.written;
    };
    expect(await print('job', JOB_ID)).toMatch(/^id {9,}job_/);
    expect(await print('logs', JOB_ID)).toBe('one\n');
    expect(await print('logs', '--stderr', '--tail', '5', '-f', JOB_ID)).toBe('two\n');
    expect(server.requests.at(-1)?.query.toString()).toBe('stream=stderr&follow=true&tail=5');
    expect(await print('cancel', JOB_ID)).toBe(`${JOB_ID} is to be cancelled; it is running\n`);
    expect(JSON.parse(await print('job', JOB_ID, '--json'))).toEqual(job);
    expect(JSON.parse(await print('jobs', '--json'))).toEqual({ items: [job] });
  });

  it('download into a directory', async () => {
    const target = join(directory, 'downloaded');
    const terminal = terminalFor(await clusterServer());
    expect(await run(['download', JOB_ID, target, '--json'], terminal)).toBe(0);
    expect(JSON.parse(terminal.written)).toMatchObject({ files: [{ path: 'pi.csv', size: CSV.length }] });
  });

  it('exit with 124 where "wait --timeout" is over', async () => {
    const server = await localServer(({ query }: ReceivedRequest, response) => {
      if (!query.has('wait')) answerJson(response, job);
    });
    const terminal = terminalFor(server);
    expect(await run(['wait', JOB_ID, '--timeout', '1'], terminal)).toBe(124);
    expect(terminal.errors).toContain('it goes on');
  });

  it('show partitions and the cluster', async () => {
    const observedAt = '2031-04-05T06:07:08.000Z';
    const partition = {
      ...{ name: 'rpi', isDefault: true, state: 'up', nodes: ['node01'], nodeCount: 1, cpus: 4 },
      ...{ maxTimeSeconds: null, defaultTimeSeconds: null },
    };
    const cluster = {
      ...{
        name: 'pis',
        slurmVersion: '22.05',
        nodes: { total: 4, available: 3 },
        cpus: { total: 16, allocated: 4 },
      },
      ...{ memoryMebibytes: { total: 100, allocated: 50 }, jobs: { pending: 1, running: 2 }, observedAt },
    };
    const server = await localServer(({ path }, response) => {
      if (path === '/v1/partitions') answerJson(response, { items: [partition], observedAt });
      else answerJson(response, cluster);
    });
    const print = async (...argv: string[]) => {
      const terminal = terminalFor(server);
      expect(await run(argv, terminal)).toBe(0);
      return terminal.written;
    };
    expect(await print('partitions')).toMatch(/rpi\* +up +1 +4 +unlimited\n/);
    expect(await print('cluster')).toContain('3 of 4 available');
    expect(JSON.parse(await print('partitions', '--json'))).toEqual({ items: [partition], observedAt });
  });
});
