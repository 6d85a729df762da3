import { MigrationExecutor } from 'typeorm';
import { advisoryLockKey } from './advisory-lock.ts';
import { openForMigrations } from './data-source.ts';
import type { Log } from './log.ts';

const LOCK_KEY = advisoryLockKey('migrations');

/**
 * Brings the schema up to date. Any number of replicas may do so at once: one does the work under a lock, the rest
 * wait for it and find nothing to do. Each migration is a transaction of its own.
 * @returns the names of the migrations that ran
 */
export async function migrate({ url, log }: { url: string; log: Log }): Promise<string[]> {
  const dataSource = await openForMigrations({ url, log });
  try {
    const runner = dataSource.createQueryRunner();
    try {
      await runner.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      const names = (await executor.executePendingMigrations()).map(({ name }) => name);
      if (names.length > 0) log('info', `Migrated the database: ${names.join(', ')}.`);
      return names;
    } finally {
      await runner.release();
    }
  } finally {
    // Closing the connection gives the lock back.
    await dataSource.destroy();
  }
}
