import type { DataSource } from 'typeorm';
import type { NewNodeEvent } from '#core/nodes/inventory/node-event';
import { insertEvent } from './node-event-row.ts';
import { runSql } from './run-sql.ts';
import { SqlParameters } from './sql-text.ts';

/**
 * Changes a row that nobody else has changed since it was read, and tells an event with it.
 * @returns the row as it is now, or undefined where somebody else came first
 */
export async function compareAndSet<Row>(
  dataSource: DataSource,
  table: string,
  { id, version }: { id: string; version: number },
  columns: [string, unknown][],
  event?: NewNodeEvent,
): Promise<Row | undefined> {
  const parameters = new SqlParameters();
  const assignments = columns.map(([column, value]) => `${column} = ${parameters.add(value)}`);
  const [row] = await runSql<Row>(
    dataSource,
    `WITH changed AS (
         UPDATE ${table} SET ${['version = version + 1', ...assignments].join(', ')}
         WHERE id = ${parameters.add(id)} AND version = ${parameters.add(version)} RETURNING *
       )${event === undefined ? '' : `, told AS (${insertEvent(event, parameters, 'changed')})`}
       SELECT * FROM changed`,
    parameters.values,
  );
  return row;
}
