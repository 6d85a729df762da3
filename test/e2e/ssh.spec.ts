import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileFrom, type Job, JobFailedError } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const PI = join(import.meta.dirname, '../../examples/pi.c');

let lab: SlurmLab;
let bramble: Installation;

beforeAll(async () => {
  // A lab of its own: its sshd is stopped.
  lab = await labUp({ dir: `${TEST_LAB_DIRECTORY}-login` });
  bramble = await startInstallation(lab, {
    SLURM_TRANSPORT: 'ssh',
    SLURM_SSH_HOST: lab.ssh.host,
    SLURM_SSH_PORT: String(lab.ssh.port),
    SLURM_SSH_USER: lab.ssh.user,
    SLURM_SSH_KEY_FILE: lab.ssh.privateKeyFile,
    SLURM_SSH_HOST_KEY: lab.ssh.hostKeySha256,
    SLURM_SSH_BECOME: 'setpriv',
  });
});
afterAll(async () => {
  await bramble.stop();
  await labDown(lab.dir);
});

/** Writes down that it ran, in the run directory: twice where it ran twice. */
const COUNTED = '#!/bin/bash\necho ran >> ran.txt\n';
const runs = (job: Job) => job.file('ran.txt').text();

async function failureOf(job: Job): Promise<JobFailedError> {
  const error: unknown = await job.wait().catch((thrown: unknown) => thrown);
  if (error instanceof JobFailedError) return error;
  throw new Error(`the job is ${job.state}`);
}

describe('a worker that reaches Slurm on a login node', () => {
  it('runs an MPI job on all nodes, with its log and its outputs', async () => {
    const job = await bramble.admin.jobs.submit({
      mpi: { source: await fileFrom(PI) },
      nodes: 4,
      tasksPerNode: 2,
      timeLimit: '10m',
      outputs: ['*.csv'],
    });
    const lines: string[] = [];
    for await (const line of job.logs({ follow: true })) lines.push(line.text);
    await job.wait();
    const ranks = lines.filter((line) => line.startsWith('rank '));
    expect(ranks).toHaveLength(8);
    expect([...new Set(ranks.map((rank) => rank.split(' on ')[1]))].sort()).toEqual(lab.nodes);
    expect(await job.file('pi.csv').text()).toBe('ranks,pi\n8,3.1415926536\n');
  });

  it('becomes the account of each user', async () => {
    const bob = await bramble.user({ name: 'bob', role: 'user', account: lab.accounts.second });
    for (const [client, account] of [
      [bramble.admin, lab.accounts.first],
      [bob.client, lab.accounts.second],
    ] as const) {
      const job = await client.jobs.submit({ command: ['id', '-un'] });
      await job.wait();
      expect(await job.logText()).toBe(`${account}\n`);
    }
  });

  it('tells what Slurm refuses', async () => {
    const job = await bramble.admin.jobs.submit({ command: ['true'], partition: 'nosuch' });
    const error = await failureOf(job);
    expect(error).toMatchObject({ state: 'failed', reason: { code: 'InvalidPartition' } });
    expect(error.reason?.message).toMatch(/partition/i);
    expect(job.slurm).toBeNull();
  });

  it('cancels a job that runs', async () => {
    const job = await bramble.admin.jobs.submit({
      script: '#!/bin/bash\ntrap "echo bye; exit 3" TERM\necho started\nwhile :; do sleep 0.1; done\n',
    });
    for await (const line of job.logs({ follow: true })) if (line.text === 'started') break;
    await job.cancel();
    expect((await failureOf(job)).state).toBe('cancelled');
    expect(await job.logText()).toBe('started\nbye\n');
  });

  it('sees the nodes of the cluster', async () => {
    const nodes = await bramble.admin.nodes.list();
    expect(nodes.items.map(({ name }) => name)).toEqual(lab.nodes);
  });

  it('waits for a login node that is away, and then runs each job once', async () => {
    const running = await bramble.admin.jobs.submit({ script: `${COUNTED}sleep 3\n` });
    await running.wait({ until: 'running' });
    await lab.stopSshd();
    const waiting = await bramble.admin.jobs.submit({ script: COUNTED });
    await sleep(5_000);
    expect((await waiting.refresh()).slurm).toBeNull();
    expect(waiting.finished).toBe(false);
    expect((await running.refresh()).state).toBe('running');
    await lab.startSshd();
    await Promise.all([running.wait(), waiting.wait()]);
    expect(await Promise.all([runs(running), runs(waiting)])).toEqual(['ran\n', 'ran\n']);
  });
});

describe('a login node that shows another host key than the configured one', () => {
  const pinned = `SHA256:${'A'.repeat(43)}`;

  it('is sent nothing; jobs wait until the right key is configured, and then they run', async () => {
    const { worker } = bramble;
    await worker.stop();
    const logBefore = worker.log().length;
    worker.launch({ SLURM_SSH_HOST_KEY: pinned });
    const jobs = await Promise.all(
      Array.from({ length: 3 }, () => bramble.admin.jobs.submit({ script: COUNTED })),
    );
    const heard = () => worker.log().slice(logBefore);
    await expect.poll(heard).toContain(pinned);
    expect(heard()).toContain(lab.ssh.hostKeySha256);
    expect(heard()).toContain(`${lab.ssh.host}:${lab.ssh.port}`);
    await sleep(5_000);
    expect(worker.isRunning).toBe(true);
    expect(await (await fetch(`${worker.url}/readyz`)).json()).toMatchObject({
      ready: true,
      parts: { slurm: { status: 'down', because: expect.stringContaining(pinned) as string } },
    });
    for (const job of jobs) expect((await job.refresh()).state).toBe('staging');

    await worker.stop();
    await worker.start();
    for (const job of jobs) {
      await job.wait();
      expect(await runs(job)).toBe('ran\n');
    }
  });
});
