import { beforeEach, describe, expect, it } from 'vitest';
import { caller } from '../../../../test/fakes/callers.ts';
import { CountingIds, idOf } from '../../../../test/fakes/counting-ids.ts';
import { jobRequest } from '../../../../test/fakes/job-requests.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryAccessStore } from '../../../../test/fakes/memory-access-store.ts';
import { MemoryArtifactStore } from '../../../../test/fakes/memory-artifact-store.ts';
import { MemoryJobQueue } from '../../../../test/fakes/memory-job-queue.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import type { AccountStatus } from '../access/user.ts';
import type { JobRequestBody } from './job-request.ts';
import { SubmitJob } from './submit-job.ts';

const [ALICE, BOB] = [idOf('usr', 1), idOf('usr', 2)];
const clock = new ManualClock();
let jobs: MemoryJobStore;
let artifacts: MemoryArtifactStore;
let access: MemoryAccessStore;
let queue: MemoryJobQueue;
let submitJob: SubmitJob;

beforeEach(async () => {
  jobs = new MemoryJobStore();
  artifacts = new MemoryArtifactStore();
  access = new MemoryAccessStore();
  queue = new MemoryJobQueue();
  const clusterPath = (jobId: string) => `/cluster/runs/${jobId}`;
  submitJob = new SubmitJob({ jobs, artifacts, access, queue, ids: new CountingIds(), clock, clusterPath });
  await newUser(ALICE, 'alice', 'verified');
});

async function newUser(id: string, account: string | null, accountStatus: AccountStatus) {
  await access.insertUser({
    id,
    name: id,
    role: 'user',
    account,
    accountStatus,
    accountMessage: accountStatus === 'refused' ? 'It belongs to root.' : null,
    accountUid: null,
    createdAt: clock.now(),
  });
}

async function newArtifact(n: number, ownerId: string): Promise<string> {
  const id = idOf('art', n);
  await artifacts.insert({
    id,
    ownerId,
    name: 'data',
    size: 1,
    sha256: 'f'.repeat(64),
    createdAt: clock.now(),
  });
  return id;
}

const submit = (body: JobRequestBody = { command: ['hostname'] }, key: string | null = null, by = caller()) =>
  submitJob.run(by, jobRequest(body), key);

describe('SubmitJob', () => {
  it('records the job with its script, and nudges the queue', async () => {
    const { job, created } = await submit();
    expect(created).toBe(true);
    expect(job).toMatchObject({
      ownerId: ALICE,
      account: 'alice',
      state: 'accepted',
      createdAt: clock.now(),
    });
    expect(job.script).toContain(`#SBATCH --chdir=/cluster/runs/${job.id}\n`);
    expect(job.script).toContain(`#SBATCH --comment=${job.id}\n`);
    await expect(jobs.find(job.id)).resolves.toEqual(job);
    expect(queue.take()).toEqual([['submit', job.id]]);
  });

  it.each<[JobRequestBody, string]>([
    [{ command: ['hostname'], name: 'mine' }, 'mine'],
    [{ command: ['/usr/bin/hostname', '-f'] }, 'hostname'],
    [{ command: ['./a b'] }, 'job'],
    [{ command: ['$(id)'] }, 'job'],
    [{ command: ['dir/'] }, 'job'],
    [{ command: ['x'.repeat(65)] }, 'job'],
    [{ script: '#!/bin/sh\n' }, 'job'],
    [{ mpi: { program: '/opt/solver' } }, 'solver'],
    [{ mpi: { source: { name: 'wave.2.f90', content: '' } } }, 'wave.2'],
  ])('gives the job of %j the name %s', async (body, name) => {
    const { job } = await submit(body);
    expect(job.name).toBe(name);
    expect(job.script).toContain(`#SBATCH --job-name="${name}"\n`);
  });

  it('takes the job though the queue is down: the row alone brings it to a worker', async () => {
    queue.down = true;
    const { job, created } = await submit();
    expect(created).toBe(true);
    expect(job.lookAt).not.toBeNull();
  });

  describe('an idempotency key', () => {
    it('gives the same job for the same request, for ever, and nudges nobody again', async () => {
      const first = await submit({ command: ['a'], env: { A: '1', B: '2' } }, 'key');
      queue.take();
      clock.advance(365 * 86_400_000);
      const again = await submit({ env: { B: '2', A: '1' }, command: ['a'] }, 'key');
      expect(again).toEqual({ job: first.job, created: false });
      expect(queue.take()).toEqual([]);
    });

    it('gives the job that there is, though its account and its files are not there any more', async () => {
      const artifact = await newArtifact(1, ALICE);
      const body = { command: ['a'], inputs: [{ path: 'f', artifact }] };
      const first = await submit(body, 'key');
      artifacts.lose(artifact);
      await access.recordAccount(ALICE, 'absent', { message: null, uid: null, at: clock.now() });
      await expect(submit(body, 'key')).resolves.toEqual({ job: first.job, created: false });
      await expect(submit(body)).rejects.toMatchObject({ code: 'account_refused' });
    });

    it('is refused for another request, and the first job stands', async () => {
      const { job } = await submit({ command: ['a'] }, 'key');
      await expect(submit({ command: ['b'] }, 'key')).rejects.toMatchObject({
        code: 'idempotency_key_reused',
      });
      await expect(submit({ command: ['a'], nodes: 1 }, 'key')).rejects.toMatchObject({
        code: 'idempotency_key_reused',
      });
      await expect(jobs.list({}, { limit: 10 })).resolves.toMatchObject({
        items: [{ id: job.id }],
        next: null,
      });
    });

    it('belongs to its owner', async () => {
      await newUser(BOB, 'bob', 'verified');
      const mine = await submit({ command: ['a'] }, 'key');
      const theirs = await submit({ command: ['b'] }, 'key', caller('user', BOB));
      expect(theirs.created).toBe(true);
      expect(theirs.job.id).not.toBe(mine.job.id);
    });

    it('gives one job to many that come at once', async () => {
      const all = await Promise.all(Array.from({ length: 10 }, () => submit({ command: ['a'] }, 'key')));
      expect(all.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(all.map(({ job }) => job.id)).size).toBe(1);
      expect(queue.take()).toHaveLength(1);
    });

    it('left out gives a new job each time', async () => {
      const [first, second] = [await submit(), await submit()];
      expect(first.job.id).not.toBe(second.job.id);
    });
  });

  describe('the account', () => {
    const refusal = async (status: AccountStatus, account: string | null) => {
      await newUser(BOB, account, status);
      return submit({ command: ['a'] }, null, caller('user', BOB));
    };

    it.each<AccountStatus>(['unverified', 'verified'])(
      'may be %s: a worker looks again before the job is submitted',
      async (status) => {
        await expect(refusal(status, 'bob')).resolves.toMatchObject({ job: { account: 'bob' } });
      },
    );

    it('must be there', async () => {
      await expect(refusal('unverified', null)).rejects.toMatchObject({ code: 'account_missing' });
      await expect(submit(undefined, null, caller('user', idOf('usr', 9)))).rejects.toMatchObject({
        code: 'account_missing',
      });
    });

    it('must be on the cluster', async () => {
      await expect(refusal('absent', 'bob')).rejects.toMatchObject({
        code: 'account_refused',
        message: expect.stringContaining('bob') as string,
      });
      expect(queue.take()).toEqual([]);
    });

    it('must not be one of the system', async () => {
      await expect(refusal('refused', 'daemon')).rejects.toMatchObject({
        code: 'account_refused',
        message: 'It belongs to root.',
      });
    });
  });

  describe('artifacts', () => {
    const inputs = (...ids: string[]): JobRequestBody => ({
      command: ['a'],
      inputs: ids.map((artifact, index) => ({ path: `f${index}`, artifact })),
    });

    it("of one's own are taken", async () => {
      await expect(submit(inputs(await newArtifact(1, ALICE)))).resolves.toMatchObject({ created: true });
    });

    it('of others are said not to be there, as are those that are not, each by its field', async () => {
      const [mine, theirs] = [await newArtifact(1, ALICE), await newArtifact(2, BOB)];
      await expect(submit(inputs(mine, theirs, idOf('art', 3)))).rejects.toMatchObject({
        code: 'invalid_request',
        faults: [
          { field: 'inputs[1].artifact', message: `there is no artifact "${theirs}"; upload the file first` },
          {
            field: 'inputs[2].artifact',
            message: `there is no artifact "${idOf('art', 3)}"; upload the file first`,
          },
        ],
      });
      expect(queue.take()).toEqual([]);
    });

    it('that hold the source of an MPI program are looked at too', async () => {
      const mpi = { source: { name: 'a.c', artifact: await newArtifact(1, BOB) } };
      await expect(submit({ mpi })).rejects.toMatchObject({ faults: [{ field: 'mpi.source.artifact' }] });
    });

    it('of others are taken from an operator, who sees all', async () => {
      const theirs = await newArtifact(1, BOB);
      await expect(submit(inputs(theirs), null, caller('operator'))).resolves.toMatchObject({
        created: true,
      });
    });
  });
});
