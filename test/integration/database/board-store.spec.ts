import type { DataSource } from 'typeorm';
import { afterAll, beforeAll } from 'vitest';
import { openDatabase } from '#infra/database/data-source';
import { migrate } from '#infra/database/migrate';
import { TypeormBoardStore } from '#infra/database/typeorm-board-store';
import { describeBoardStore } from '../../conformance/board-store.conformance.ts';
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

describeBoardStore('TypeormBoardStore on PostgreSQL', {
  create: async () => {
    await dataSource.query('TRUNCATE boards CASCADE');
    return { store: new TypeormBoardStore(dataSource), close: async () => {} };
  },
});
