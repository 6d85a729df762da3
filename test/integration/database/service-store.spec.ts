import { TypeormServiceStore } from '#infra/database/typeorm-service-store';
import { describeServiceStore } from '../../conformance/service-store.conformance.ts';
import { migratedDatabase } from './migrated-database.ts';

const dataSource = migratedDatabase();

describeServiceStore('TypeormServiceStore on PostgreSQL', {
  create: async () => {
    await dataSource().query('TRUNCATE services CASCADE');
    return { store: new TypeormServiceStore(dataSource()), close: async () => {} };
  },
});
