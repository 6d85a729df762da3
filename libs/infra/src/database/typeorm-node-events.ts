import type { DataSource } from 'typeorm';
import {
  KEPT_EVENTS,
  type NewNodeEvent,
  type NodeEvent,
  type NodeEvents,
} from '#core/nodes/inventory/node-event';
import { insertEvent, toNodeEvent } from './node-event-row.ts';
import { runSql } from './run-sql.ts';
import { SqlParameters } from './sql-text.ts';
import type { NodeEventRow } from './tables/node-events.ts';

/** Events of nodes in PostgreSQL. What changes of boards mean is written by the board store, together with the change. */
export class TypeormNodeEvents implements NodeEvents {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async record(event: NewNodeEvent): Promise<void> {
    const parameters = new SqlParameters();
    await runSql(this.#dataSource, insertEvent(event, parameters), parameters.values);
  }

  async after(node: string, seq: number, limit: number): Promise<NodeEvent[]> {
    const rows = await runSql<NodeEventRow>(
      this.#dataSource,
      'SELECT * FROM node_events WHERE node = $1 AND seq > $2 ORDER BY seq DESC LIMIT $3',
      [node, seq, limit],
    );
    return rows.reverse().map(toNodeEvent);
  }

  async trim(): Promise<void> {
    await runSql(
      this.#dataSource,
      `DELETE FROM node_events WHERE seq IN (
         SELECT seq FROM (
           SELECT seq, row_number() OVER (PARTITION BY node ORDER BY seq DESC) AS place FROM node_events
         ) AS placed WHERE place > $1
       )`,
      [KEPT_EVENTS],
    );
  }
}
