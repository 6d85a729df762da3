import { openDatabase } from '#infra/database/data-source';
import { migrate } from '#infra/database/migrate';
import { TypeormAccessStore } from '#infra/database/typeorm-access-store';
import { TypeormJobStore } from '#infra/database/typeorm-job-store';
import { typeIdGenerator } from '#infra/identity/type-id-generator';
import { describeJobStore } from '../../conformance/job-store.conformance.ts';
import { freshDatabase } from '../database-server.ts';

const log = () => {};

describeJobStore('TypeormJobStore on PostgreSQL', {
  create: async () => {
    const database = await freshDatabase();
    await migrate({ url: database.url, log });
    const dataSource = await openDatabase({ url: database.url, poolSize: 10, log });
    const access = new TypeormAccessStore(dataSource);
    const user = async (name: string): Promise<string> => {
      const id = typeIdGenerator.next('usr');
      await access.insertUser({
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
    };
    return {
      store: new TypeormJobStore(dataSource),
      ownerIds: [await user('alice'), await user('bob')],
      close: async () => {
        await dataSource.destroy();
        await database.drop();
      },
    };
  },
});
