import { TypeormAccessStore } from '#infra/database/typeorm-access-store';
import { TypeormJobStore } from '#infra/database/typeorm-job-store';
import { typeIdGenerator } from '#infra/identity/type-id-generator';
import { describeJobStore } from '../../conformance/job-store.conformance.ts';
import { migratedDatabase } from './migrated-database.ts';

const dataSource = migratedDatabase();

async function user(name: string): Promise<string> {
  const id = typeIdGenerator.next('usr');
  await new TypeormAccessStore(dataSource()).insertUser({
    id,
    name,
    role: 'user',
    account: null,
    accountStatus: 'unverified',
    accountMessage: null,
    accountUid: null,
    createdAt: new Date(),
  });
  return id;
}

describeJobStore('TypeormJobStore on PostgreSQL', {
  create: async () => {
    await dataSource().query('TRUNCATE users, jobs CASCADE');
    return {
      store: new TypeormJobStore(dataSource()),
      ownerIds: [await user('alice'), await user('bob')],
      close: async () => {},
    };
  },
});
