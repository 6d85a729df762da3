import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { aborted } from '../../../libs/infra/src/database/dedicated-session.ts';
import {
  type EmbeddedDatabase,
  startEmbeddedDatabase,
  stopEmbeddedDatabase,
} from '../../../libs/infra/src/database/embedded-database.ts';
import { PostgresJobChanges } from '../../../libs/infra/src/database/job-changes.ts';
import { Leadership } from '../../../libs/infra/src/database/leadership.ts';
import { migrate } from '../../../libs/infra/src/database/migrate.ts';
import { readPostmaster } from '../../../libs/infra/src/database/postmaster.ts';
import { TypeormJobStore } from '../../../libs/infra/src/database/typeorm-job-store.ts';
import { openQueues } from '../../../libs/infra/src/queue/open-queues.ts';
import { sampleJob } from './sample-jobs.ts';
import { PATIENTLY } from '../../patience.ts';

const log = () => {};
const BACK_AGAIN = { ...PATIENTLY, interval: 100 };

let dataDirectory: string;
let database: EmbeddedDatabase;

beforeEach(async () => {
  dataDirectory = await mkdtemp('/var/tmp/bramble-test-outage-');
  await chmod(dataDirectory, 0o755);
  database = await startEmbeddedDatabase({ dataDirectory, log });
  await migrate({ url: database.url, log });
});

afterEach(async () => {
  await stopEmbeddedDatabase(dataDirectory);
  await rm(dataDirectory, { recursive: true, force: true });
});

async function killServer(): Promise<void> {
  const postmaster = await readPostmaster(join(dataDirectory, 'cluster'));
  if (postmaster === undefined) throw new Error('no server runs');
  process.kill(postmaster.pid, 'SIGKILL');
}

describe('an outage of the database', () => {
  it('is survived by everything that uses it', async () => {
    const { url } = database;
    const dataSource = await openDatabase({ url, poolSize: 4, log });
    const jobs = new TypeormJobStore(dataSource);
    const changes = new PostgresJobChanges({ url, log });
    changes.start();
    const leadership = new Leadership({ url, name: 'outage', log });
    const until = new AbortController();
    const led = leadership.run(aborted, until.signal);
    const queues = await openQueues({ databaseUrl: url }, log);
    const given: string[] = [];
    queues.worker('jobs.submit', async ({ jobId }) => {
      given.push(jobId);
    });
    const { job } = await jobs.insert(sampleJob());
    const heard = vi.fn();
    changes.subscribe(job.id, heard);
    await queues.jobQueue.add('submit', 'job_before');
    await vi.waitFor(() => expect(given).toEqual(['job_before']), BACK_AGAIN);
    await vi.waitFor(() => expect(leadership.isLeader).toBe(true), BACK_AGAIN);

    await killServer();
    await vi.waitFor(() => expect(leadership.isLeader).toBe(false), BACK_AGAIN);
    await expect(jobs.find(job.id)).rejects.toThrow();
    const began = performance.now();
    await expect(queues.jobQueue.add('submit', 'job_during')).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(await queues.ping()).toMatchObject({ kind: 'unknown' });
    heard.mockClear();
    await startEmbeddedDatabase({ dataDirectory, log });

    await vi.waitFor(async () => expect(await jobs.find(job.id)).toEqual(job), BACK_AGAIN);
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), BACK_AGAIN);
    await vi.waitFor(() => expect(leadership.isLeader).toBe(true), BACK_AGAIN);
    await vi.waitFor(() => queues.jobQueue.add('submit', 'job_after'), BACK_AGAIN);
    await vi.waitFor(() => expect(given).toContain('job_after'), BACK_AGAIN);

    until.abort();
    await Promise.all([led, changes.stop(), queues.close(), dataSource.destroy()]);
  });
});
