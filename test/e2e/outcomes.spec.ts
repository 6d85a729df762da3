import { setTimeout as sleep } from 'node:timers/promises';
import { type Bramble, type Job, JobFailedError, type JobSubmission } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

let lab: SlurmLab;
let bramble: Installation;
let client: Bramble;

beforeAll(async () => {
  lab = await labUp();
  bramble = await startInstallation(lab);
  client = bramble.admin;
});
afterAll(() => bramble.stop());

/** The job as it ended, and the error that waiting for it threw. */
async function failure(submission: JobSubmission): Promise<{ job: Job; error: JobFailedError }> {
  const job = await client.jobs.submit(submission);
  return { job, error: await failureOf(job) };
}

async function failureOf(job: Job): Promise<JobFailedError> {
  const error: unknown = await job.wait().catch((thrown: unknown) => thrown);
  if (error instanceof JobFailedError) return error;
  throw new Error(`the job is ${job.state}`);
}

async function until(job: Job, state: string): Promise<void> {
  while ((await job.refresh()).state !== state) {
    if (job.finished) throw new Error(`the job is ${job.state}`);
    await sleep(50);
  }
}

describe('what Slurm refuses fails at once, with what would help', () => {
  const command = { command: ['true'] };

  it.each<[string, JobSubmission, RegExp, RegExp]>([
    [
      'a partition that does not exist',
      { ...command, partition: 'nosuch' },
      /^InvalidPartition/,
      /partition/i,
    ],
    ['more nodes than there are', { ...command, nodes: 50 }, /TooMany|Node/, /node|cpu|processor/i],
    ['more tasks than fit', { ...command, nodes: 1, tasks: 500 }, /./, /node|task|processor|cpu/i],
    [
      'more time than the partition allows',
      { ...command, partition: 'short', timeLimit: '3h' },
      /Time/,
      /time/i,
    ],
    [
      'a feature that no node has',
      { ...command, constraint: 'nosuch' },
      /Feature|Constraint/,
      /feature|constraint/i,
    ],
    ['more memory than a node has', { ...command, memory: '900G' }, /./, /memory|node/i],
  ])('%s', async (_, submission, code, message) => {
    const { error } = await failure(submission);
    expect(error.state).toBe('failed');
    expect(error.reason?.code).toMatch(code);
    expect(error.reason?.message).toMatch(message);
    expect(error.job.slurm).toBeNull();
  });
});

describe('how a program ends', () => {
  it('by an exit code: failed, with the code and the last lines', async () => {
    const { error } = await failure({
      script: '#!/bin/bash\necho before\necho "no such luck" >&2\nexit 7\n',
    });
    expect(error).toMatchObject({
      state: 'failed',
      exitCode: 7,
      signal: null,
      lastLines: 'before\nno such luck',
    });
    expect(error.reason).toMatchObject({ code: 'NonZeroExitCode', message: expect.stringContaining('7') });
  });

  it('by a crash: failed, with the signal', async () => {
    const { error } = await failure({ script: '#!/bin/bash\nkill -SEGV $$\n' });
    expect(error).toMatchObject({ state: 'failed', exitCode: null, signal: 11 });
    expect(error.reason).toMatchObject({ code: 'Signal', message: expect.stringContaining('SIGSEGV') });
  });

  it('by a crash of one rank: failed', async () => {
    const content =
      '#include <mpi.h>\n#include <signal.h>\nint main(int c, char **v) { MPI_Init(&c, &v); int r; MPI_Comm_rank(MPI_COMM_WORLD, &r); if (r == 1) raise(SIGSEGV); MPI_Barrier(MPI_COMM_WORLD); MPI_Finalize(); }\n';
    const { error } = await failure({
      mpi: { source: { name: 'crash.c', content } },
      nodes: 2,
      tasksPerNode: 1,
    });
    expect(error.state).toBe('failed');
    expect(error.signal ?? error.exitCode).toBeGreaterThan(0);
    expect(error.lastLines).toMatch(/signal|segmentation/i);
  });

  it("before it began, because its source does not compile: failed, with the compiler's words", async () => {
    const { error } = await failure({
      mpi: { source: { name: 'wrong.c', content: 'int main( { return nonsense; }\n' } },
    });
    expect(error.reason?.code).toBe('CompilationFailed');
    expect(error.lastLines).toContain('wrong.c:1');
  });

  it('before it began, because it is not there: failed', async () => {
    const { error } = await failure({ command: ['/no/such/program'] });
    expect(error).toMatchObject({ exitCode: 127, reason: { code: 'ProgramNotFound' } });
  });

  it('by its time limit: timed out', async () => {
    const { error } = await failure({ script: '#!/bin/bash\necho started\nsleep 600\n', timeLimit: '1m' });
    expect(error).toMatchObject({
      state: 'timed_out',
      reason: { code: 'TimeLimit' },
      lastLines: expect.stringContaining('started'),
    });
  });
});

describe('cancelling', () => {
  it('while it waits, and it never starts', async () => {
    const job = await client.jobs.submit({ command: ['true'], partition: 'down' });
    await until(job, 'queued');
    await expect.poll(async () => (await job.refresh()).reason?.code).toBe('PartitionDown');
    await job.cancel();
    const error = await failureOf(job);
    expect(error).toMatchObject({ state: 'cancelled', reason: { code: 'Cancelled' } });
    expect(job.startedAt).toBeNull();
  });

  it('while it runs, and its program hears of it', async () => {
    const job = await client.jobs.submit({
      script: '#!/bin/bash\ntrap "echo bye; exit 3" TERM\necho started\nwhile :; do sleep 0.1; done\n',
    });
    for await (const line of job.logs({ follow: true })) if (line.text === 'started') break;
    await job.cancel();
    const error = await failureOf(job);
    expect(error).toMatchObject({ state: 'cancelled', reason: { message: 'Cancelled as requested.' } });
    expect(await job.logText()).toBe('started\nbye\n');
    expect(error.exitCode).toBe(3);
  });

  it('at once after it was sent', async () => {
    const job = await client.jobs.submit({ command: ['sleep', '600'] });
    await job.cancel();
    expect((await failureOf(job)).state).toBe('cancelled');
  });

  it('in Slurm, by somebody else', async () => {
    const job = await client.jobs.submit({ command: ['sleep', '600'] });
    await until(job, 'running');
    await lab.run(['scancel', String(job.slurm?.jobId)]);
    expect(await failureOf(job)).toMatchObject({
      state: 'cancelled',
      reason: { message: expect.stringContaining('in Slurm') },
    });
  });
});

describe('whose jobs they are', () => {
  it('each runs as the account of its user, and accounts that are root or not there run nothing', async () => {
    const bob = await bramble.user({ name: 'bob', role: 'user', account: lab.accounts.second });
    const job = await bob.client.jobs.submit({ command: ['id', '-un'] });
    await job.wait();
    expect((await job.logText()).trim()).toBe(lab.accounts.second);
    const nobody = await bramble.user({ name: 'ghost', role: 'user', account: 'no-such-account' });
    await expect
      .poll(async () => (await bramble.admin.admin.users.get(nobody.id)).account?.status)
      .toBe('absent');
    await expect(nobody.client.jobs.submit({ command: ['true'] })).rejects.toMatchObject({
      status: 422,
      code: 'account_refused',
    });
    const service = await bramble.user({ name: 'service', role: 'user', account: 'daemon' });
    await expect
      .poll(async () => (await bramble.admin.admin.users.get(service.id)).account?.status)
      .toBe('refused');
    await expect(client.jobs.get(job.id)).resolves.toBeDefined();
    const carol = await bramble.user({ name: 'carol', role: 'user', account: lab.accounts.second });
    await expect(carol.client.jobs.get(job.id)).rejects.toMatchObject({ status: 404 });
  });
});
