import type { DataSource } from 'typeorm';
import { afterAll, beforeAll } from 'vitest';
import { openDatabase } from '#infra/database/data-source';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';

const log = () => {};

/**
 * A database with all tables, for the tests of the file that calls this.
 * @returns how it is reached, from the first test on
 */
export function migratedDatabase(): () => DataSource {
  let database: FreshDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await freshMigratedDatabase();
    dataSource = await openDatabase({ url: database.url, poolSize: 10, log });
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  return () => dataSource;
}
