import { TypeormBoardStore } from '#infra/database/typeorm-board-store';
import { describeBoardStore } from '../../conformance/board-store.conformance.ts';
import { migratedDatabase } from './migrated-database.ts';

const dataSource = migratedDatabase();

describeBoardStore('TypeormBoardStore on PostgreSQL', {
  create: async () => {
    await dataSource().query('TRUNCATE boards CASCADE');
    return { store: new TypeormBoardStore(dataSource()), close: async () => {} };
  },
});
