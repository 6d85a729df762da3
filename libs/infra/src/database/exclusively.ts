import type { DataSource } from 'typeorm';
import { advisoryLockKey } from './advisory-lock.ts';

/** Runs `work` while no other process of this database runs work of the same name; the others wait. */
export async function exclusively<T>(
  dataSource: DataSource,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const key = advisoryLockKey(name);
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [key]);
    try {
      return await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [key]);
    }
  } finally {
    await runner.release();
  }
}
