import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { moveTo } from '#core/jobs/job';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { PostgresJobChanges } from '../../../libs/infra/src/database/job-changes.ts';
import { TypeormJobStore } from '../../../libs/infra/src/database/typeorm-job-store.ts';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';
import { execute } from '../../lab/database/execute.ts';
import { sampleJob } from './sample-jobs.ts';
import { PATIENTLY } from '../../patience.ts';

const log = () => {};
const LISTENER = `application_name = 'bramble job changes' AND datname = current_database()`;

let database: FreshDatabase;
let dataSource: DataSource;
let jobs: TypeormJobStore;
let changes: PostgresJobChanges;

beforeAll(async () => {
  database = await freshMigratedDatabase();
  dataSource = await openDatabase({ url: database.url, poolSize: 4, log });
  jobs = new TypeormJobStore(dataSource);
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

beforeEach(() => {
  changes = new PostgresJobChanges({ url: database.url, log });
});

afterEach(async () => {
  await changes.stop();
});

/** Starts to listen, and waits until it does. */
async function listening(): Promise<void> {
  const ready = vi.fn();
  const unsubscribe = changes.subscribe('job_none', ready);
  changes.start();
  await vi.waitFor(() => expect(ready).toHaveBeenCalled(), PATIENTLY);
  unsubscribe();
}

describe('changes of jobs', () => {
  it('are heard by who subscribed to the job, once each, until the subscription ends', async () => {
    await listening();
    const [{ job }, { job: other }] = [await jobs.insert(sampleJob()), await jobs.insert(sampleJob())];
    const [first, second, elsewhere] = [vi.fn(), vi.fn(), vi.fn()];
    const unsubscribe = changes.subscribe(job.id, first);
    changes.subscribe(job.id, second);
    changes.subscribe(other.id, elsewhere);
    const staging = await jobs.change(job, moveTo(job, 'staging'), new Date());
    await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(1));
    unsubscribe();
    await jobs.change(staging ?? job, { submitAttempts: 1 }, new Date());
    await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(2));
    expect(first).toHaveBeenCalledTimes(1);
    expect(elsewhere).not.toHaveBeenCalled();
  });

  it('are heard where another listener throws', async () => {
    await listening();
    const { job } = await jobs.insert(sampleJob());
    const listener = vi.fn();
    changes.subscribe(job.id, () => {
      throw new Error('a listener with a fault');
    });
    changes.subscribe(job.id, listener);
    await jobs.change(job, { submitAttempts: 1 }, new Date());
    await vi.waitFor(() => expect(listener).toHaveBeenCalled());
  });

  it('are not heard where nothing changed', async () => {
    await listening();
    const { job } = await jobs.insert(sampleJob());
    await jobs.change(job, { submitAttempts: 1 }, new Date());
    const listener = vi.fn();
    await new Promise((resolve) => setTimeout(resolve, 100));
    changes.subscribe(job.id, listener);
    await jobs.change(job, { submitAttempts: 2 }, new Date());
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(listener).not.toHaveBeenCalled();
  });

  it('are called for all when the connection was lost and is back, and are heard again', async () => {
    await listening();
    const { job } = await jobs.insert(sampleJob());
    const listener = vi.fn();
    changes.subscribe(job.id, listener);
    await execute(database.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${LISTENER}`);
    await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(1), PATIENTLY);
    await jobs.change(job, { submitAttempts: 1 }, new Date());
    await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(2));
  });

  it('leave no connection behind', async () => {
    await listening();
    await changes.stop();
    const sessions = await dataSource.query<unknown[]>(`SELECT pid FROM pg_stat_activity WHERE ${LISTENER}`);
    expect(sessions).toEqual([]);
  });
});
