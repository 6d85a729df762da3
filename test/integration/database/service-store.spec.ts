import type { DataSource } from 'typeorm';
import { afterAll, beforeAll } from 'vitest';
import { openDatabase } from '#infra/database/data-source';
import { migrate } from '#infra/database/migrate';
import { TypeormServiceStore } from '#infra/database/typeorm-service-store';
import { describeServiceStore } from '../../conformance/service-store.conformance.ts';
import { freshDatabase, type FreshDatabase } from '../database-server.ts';

const log = () => {};

let database: FreshDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await freshDatabase();
  await migrate({ url: database.url, log });
  dataSource = await openDatabase({ url: database.url, poolSize: 10, log });
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

describeServiceStore('TypeormServiceStore on PostgreSQL', {
  create: async () => {
    await dataSource.query('TRUNCATE services CASCADE');
    return { store: new TypeormServiceStore(dataSource), close: async () => {} };
  },
});
