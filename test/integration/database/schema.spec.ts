import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { migrate } from '../../../libs/infra/src/database/migrate.ts';
import { migrations } from '../../../libs/infra/src/database/migrations/migrations.ts';
import { schemaDrift } from '../../../libs/infra/src/database/schema-drift.ts';
import { freshDatabase, type FreshDatabase } from '../../lab/database/database-server.ts';
import { execute } from '../../lab/database/execute.ts';

const log = () => {};
let database: FreshDatabase;

beforeEach(async () => {
  database = await freshDatabase();
});

afterEach(async () => {
  await database.drop();
});

async function drift(): Promise<string[]> {
  const dataSource = await openDatabase({ url: database.url, poolSize: 2, log });
  try {
    return await schemaDrift(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

describe('migrations', () => {
  it('run once, and find nothing to do the second time', async () => {
    const { url } = database;
    expect(await migrate({ url, log })).toEqual(migrations.map(({ name }) => name));
    expect(await migrate({ url, log })).toEqual([]);
  });

  it('run once where six replicas start together', async () => {
    const ran = await Promise.all(Array.from({ length: 6 }, () => migrate({ url: database.url, log })));
    expect(ran.flat()).toEqual(migrations.map(({ name }) => name));
  });

  it('leave the tables as they are defined', async () => {
    await migrate({ url: database.url, log });
    expect(await drift()).toEqual([]);
  });

  it('can be taken back', async () => {
    await migrate({ url: database.url, log });
    const dataSource = await openDatabase({ url: database.url, poolSize: 2, log });
    try {
      for (let count = migrations.length; count > 0; count -= 1) await dataSource.undoLastMigration();
      expect(await dataSource.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).toEqual([
        { tablename: 'schema_migrations' },
      ]);
    } finally {
      await dataSource.destroy();
    }
    expect(await migrate({ url: database.url, log })).toHaveLength(migrations.length);
  });
});

describe('drift', () => {
  it.each([
    ['a column that is missing', 'ALTER TABLE jobs DROP COLUMN signal', /ADD "signal"/],
    ['a column of another precision', 'ALTER TABLE jobs ALTER look_at TYPE timestamptz(6)', /look_at/],
    ['an index that is missing', 'DROP INDEX jobs_due', /jobs_due/],
    ['a key that is missing', 'ALTER TABLE job_events DROP CONSTRAINT job_events_job', /job_events_job/],
  ])('is told for %s', async (_, sql, expected) => {
    await migrate({ url: database.url, log });
    await execute(database.url, sql);
    expect((await drift()).join('\n')).toMatch(expected);
  });
});
