import { type DataSource, QueryFailedError } from 'typeorm';
import { DatabaseError } from './database-error.ts';

/**
 * Runs one statement with its parameters `$1`, `$2` …
 * @returns its rows; an UPDATE or DELETE has them in `RETURNING` of a CTE
 * @throws DatabaseError
 */
export async function runSql<Row>(
  dataSource: DataSource,
  sql: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  try {
    return await dataSource.query<Row[]>(sql, parameters);
  } catch (error) {
    if (!(error instanceof QueryFailedError)) throw error;
    throw toDatabaseError(error.driverError);
  }
}

function toDatabaseError(cause: unknown): DatabaseError {
  const { message, code } = cause as { message?: string; code?: unknown };
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  return new DatabaseError(message ?? 'the statement failed', { sqlState, cause });
}
