import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileFrom } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';
import { Tally } from './tally.ts';

const run = promisify(execFile);
const PI = join(import.meta.dirname, '../../examples/pi.c');

let lab: SlurmLab;
let bramble: Installation;

beforeAll(async () => {
  lab = await labUp();
  bramble = await startInstallation(lab, {}, { database: 'embedded' });
});
afterAll(() => bramble.stop());

const nodesIn = (text: string) => [...new Set(text.match(/node0\d/g) ?? [])].sort();

describe('an MPI job', () => {
  it('through the SDK: ranks on every node, live log, result and outputs', async () => {
    const job = await bramble.admin.jobs.submit({
      name: 'pi',
      mpi: { source: await fileFrom(PI) },
      nodes: 4,
      tasksPerNode: 2,
      timeLimit: '10m',
      outputs: ['*.csv'],
    });
    const lines: string[] = [];
    for await (const line of job.logs({ follow: true })) lines.push(line.text);
    const done = await job.wait();
    const results = mkdtempSync(join(tmpdir(), 'bramble-results-'));
    await done.outputs.download(results);

    expect(done.state).toBe('completed');
    expect(done.exitCode).toBe(0);
    expect(lines.filter((line) => line.startsWith('rank '))).toHaveLength(8);
    expect(nodesIn(lines.join('\n'))).toEqual(lab.nodes);
    const csv = readFileSync(join(results, 'pi.csv'));
    expect(csv.toString()).toBe('ranks,pi\n8,3.1415926536\n');
    expect(done.data.outputs).toEqual([
      { path: 'pi.csv', size: csv.length, sha256: createHash('sha256').update(csv).digest('hex') },
    ]);
    const states = [];
    for await (const event of done.events()) states.push(event.state);
    expect([...new Set(states)]).toEqual([
      'accepted',
      'staging',
      'submitting',
      'queued',
      'running',
      'collecting',
      'completed',
    ]);
  });

  it('with curl alone', async () => {
    const auth = `Authorization: Bearer ${bramble.adminKey}`;
    const body = JSON.stringify({
      mpi: { source: { name: 'pi.c', content: readFileSync(PI, 'utf8') } },
      nodes: 4,
      tasksPerNode: 1,
    });
    const submitted = await run('curl', [
      '-sf',
      `${bramble.apiUrl}/v1/jobs`,
      '-H',
      auth,
      '-H',
      'Content-Type: application/json',
      '-d',
      body,
    ]);
    const { id } = JSON.parse(submitted.stdout) as { id: string };
    const log = await run('curl', ['-sfN', `${bramble.apiUrl}/v1/jobs/${id}/logs?follow=true`, '-H', auth]);
    expect(nodesIn(log.stdout)).toEqual(lab.nodes);
    const job = await run('curl', ['-sf', `${bramble.apiUrl}/v1/jobs/${id}?wait=30s`, '-H', auth]);
    expect(JSON.parse(job.stdout)).toMatchObject({ state: 'completed', exitCode: 0 });
  });

  it.each([
    [
      'C++',
      'hello.cpp',
      '#include <mpi.h>\n#include <iostream>\nint main(int c, char** v) { MPI_Init(&c, &v); int r; MPI_Comm_rank(MPI_COMM_WORLD, &r); std::cout << "rank " << r << " " << v[1] << std::endl; MPI_Finalize(); }\n',
    ],
    [
      'Fortran',
      'hello.f90',
      'program hello\n  use mpi\n  integer :: e, r\n  character(len=32) :: a\n  call MPI_Init(e)\n  call MPI_Comm_rank(MPI_COMM_WORLD, r, e)\n  call get_command_argument(1, a)\n  print "(a,i0,a,a)", "rank ", r, " ", trim(a)\n  call MPI_Finalize(e)\nend program\n',
    ],
  ])('written in %s', async (_, name, content) => {
    const job = await bramble.admin.jobs.submit({
      mpi: { source: { name, content }, args: ["it's $HOME"] },
      nodes: 2,
      tasksPerNode: 1,
    });
    await job.wait();
    const lines = (await job.logText()).trim().split('\n').sort();
    expect(lines).toEqual(["rank 0 it's $HOME", "rank 1 it's $HOME"]);
  });

  it('launched by srun', async () => {
    const job = await bramble.admin.jobs.submit({
      mpi: { source: await fileFrom(PI), launcher: 'srun' },
      nodes: 2,
      tasksPerNode: 2,
    });
    await job.wait();
    expect((await job.logText()).match(/^rank \d of 4/gm)).toHaveLength(4);
  });
});

describe('a worker that is killed', () => {
  it('while a job runs leaves it alone, and the next one brings it to its end: it has run once', async () => {
    const tally = new Tally(bramble.storage);
    const job = await bramble.admin.jobs.submit({
      script: `${tally.script('killed')}sleep 3\necho whole > result.txt\n`,
      nodes: 2,
      outputs: ['*.txt'],
    });
    await expect.poll(() => tally.count(job.id)).toBe(1);
    await bramble.worker.kill();
    await bramble.worker.start();
    const done = await job.wait();
    expect([done.state, tally.count(job.id)]).toEqual(['completed', 1]);
    expect(done.data.outputs?.map(({ path }) => path)).toEqual(['result.txt']);
  });
});

describe('inputs and outputs', () => {
  it('are found with the right content, owner and mode, and come back with their digests', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bramble-input-'));
    const large = randomBytes(3 * 1024 * 1024);
    writeFileSync(join(directory, 'large.bin'), large);
    const job = await bramble.admin.jobs.submit({
      script: [
        '#!/bin/bash',
        'stat -c "%n %a %U" in/tool.sh in/large.bin',
        './in/tool.sh',
        'mkdir -p out/deep; cp in/large.bin out/deep/copy.bin; ln -s /etc/passwd out/passwd; ln -s /etc out/etc; mkfifo out/pipe',
        'umask; pwd',
      ].join('\n'),
      inputs: [
        { path: 'in/tool.sh', content: '#!/bin/sh\necho tool ran\n', mode: '0755' },
        { path: 'in/large.bin', file: await fileFrom(join(directory, 'large.bin')), mode: '0440' },
      ],
      outputs: ['out/**'],
    });
    const done = await job.wait();
    const account = lab.accounts.first;
    const log = await job.logText();
    expect(log).toContain(`in/tool.sh 755 ${account}\nin/large.bin 440 ${account}\ntool ran\n`);
    expect(done.data.outputs?.map(({ path }) => path)).toEqual(['out/deep/copy.bin']);
    expect(done.data.outputs?.[0]?.sha256).toBe(createHash('sha256').update(large).digest('hex'));
    const results = mkdtempSync(join(tmpdir(), 'bramble-results-'));
    await done.outputs.download(results);
    expect(readFileSync(join(results, 'out/deep/copy.bin')).equals(large)).toBe(true);
    const files = await done.files({ recursive: true });
    expect(files.items.find(({ path }) => path === 'out/passwd')?.type).toBe('symlink');
    await expect(done.file('out/passwd').bytes()).rejects.toMatchObject({
      status: 409,
      code: 'not_a_regular_file',
    });
    expect(statSync(join(bramble.storage, 'runs', done.id)).mode & 0o777).toBe(0o700);
  });
});

describe('the cluster', () => {
  it('shows nodes, partitions and capacity, and how old the answer is', async () => {
    const nodes = await bramble.admin.nodes.list();
    expect(nodes.items.map(({ name }) => name)).toEqual(lab.nodes);
    expect(Date.now() - Date.parse(nodes.observedAt ?? '')).toBeLessThan(30_000);
    const partitions = await bramble.admin.partitions.list();
    expect(partitions.items.find(({ isDefault }) => isDefault)).toMatchObject({
      name: lab.partitions[0],
      nodes: lab.nodes,
    });
    const cluster = await bramble.admin.cluster();
    expect(cluster).toMatchObject({ name: lab.clusterName, nodes: { total: 4, available: 4 } });
  });
});

describe('what reaches a shell', () => {
  it('arrives as it is, and nothing of it is executed', async () => {
    const drop = mkdtempSync(join(tmpdir(), 'bramble-canary-'));
    chmodSync(drop, 0o777);
    const canary = join(drop, 'executed');
    const attacks = [
      `$(touch ${canary})`,
      `\`touch ${canary}\``,
      `'; touch ${canary}; '`,
      `"; touch ${canary}; "`,
      `\n touch ${canary}\n`,
      `| touch ${canary}`,
      `&& touch ${canary} &`,
      `\${IFS}touch\${IFS}${canary}`,
      `!touch ${canary}`,
      '-rf',
      '*',
      '~',
      'ä 漢 🙂',
      `\\'\\"\\\\`,
      ' leading and trailing ',
      '',
    ];
    const job = await bramble.admin.jobs.submit({
      command: ['printf', '%s\\0', ...attacks],
      env: Object.fromEntries(attacks.map((attack, index) => [`ATTACK_${index}`, attack])),
      labels: { attack: 'a$(b)`c`;d|e' },
    });
    await job.wait();
    expect((await job.logText()).split('\0').slice(0, -1)).toEqual(attacks);
    const environment = await bramble.admin.jobs.submit({
      script: '#!/bin/bash\nfor i in {0..15}; do name=ATTACK_$i; printf "%s\\0" "${!name}"; done\n',
      env: Object.fromEntries(attacks.map((attack, index) => [`ATTACK_${index}`, attack])),
    });
    await environment.wait();
    expect((await environment.logText()).split('\0').slice(0, -1)).toEqual(attacks);
    expect(() => statSync(canary)).toThrow('ENOENT');
  });

  it("the job has its own environment, and nothing of the server's", async () => {
    const job = await bramble.admin.jobs.submit({ command: ['env'] });
    await job.wait();
    const log = await job.logText();
    expect(log).toContain(`USER=${lab.accounts.first}`);
    expect(log).toMatch(/^HOME=\//m);
    expect(log).not.toMatch(/DATABASE_URL|BRAMBLE_HOME|postgres|SLURM_SSH/);
  });
});
