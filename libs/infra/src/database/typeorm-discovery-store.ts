import type { DataSource } from 'typeorm';
import type { Discovery, DiscoveryPatch, DiscoveryStore } from '#core/nodes/discovery/discovery';
import { runSql } from './run-sql.ts';
import { SqlParameters } from './sql-text.ts';
import { storableJson } from './storable-text.ts';
import type { DiscoveryRow } from './tables/discoveries.ts';

/** Discoveries in PostgreSQL. */
export class TypeormDiscoveryStore implements DiscoveryStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async insert(discovery: Discovery): Promise<void> {
    const parameters = new SqlParameters();
    const columns: [string, unknown][] = [
      ['id', discovery.id],
      ['range', discovery.range],
      ['created_at', discovery.createdAt],
    ];
    const all = [...columns, ...columnsOf(discovery)];
    await this.#rows(
      `INSERT INTO discoveries (${all.map(([column]) => column).join(', ')})
       VALUES (${all.map(([, value]) => parameters.add(value)).join(', ')})`,
      parameters.values,
    );
  }

  async find(id: string): Promise<Discovery | undefined> {
    const [row] = await this.#rows<DiscoveryRow>('SELECT * FROM discoveries WHERE id = $1', [id]);
    return row === undefined ? undefined : toDiscovery(row);
  }

  async change(id: string, patch: DiscoveryPatch): Promise<boolean> {
    const parameters = new SqlParameters();
    const assignments = columnsOf(patch).map(([column, value]) => `${column} = ${parameters.add(value)}`);
    const changed = await this.#rows<{ id: string }>(
      `WITH changed AS (
         UPDATE discoveries SET ${assignments.join(', ')}
         WHERE id = ${parameters.add(id)} AND state IN ('waiting', 'running') RETURNING id
       ) SELECT id FROM changed`,
      parameters.values,
    );
    return changed.length > 0;
  }

  async takeDue(now: Date, putOffUntil: Date, limit: number): Promise<Discovery[]> {
    const rows = await this.#rows<DiscoveryRow>(
      `WITH due AS (
         SELECT id FROM discoveries WHERE look_at <= $1 ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE discoveries SET look_at = $2 FROM due WHERE discoveries.id = due.id RETURNING discoveries.*
       )
       SELECT * FROM taken ORDER BY created_at, id`,
      [now, putOffUntil, limit],
    );
    return rows.map(toDiscovery);
  }

  async removeOld(before: Date): Promise<void> {
    await this.#rows('DELETE FROM discoveries WHERE created_at < $1', [before]);
  }

  #rows<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.#dataSource, sql, parameters);
  }
}

/** What may change. Fields that are left out stay out. */
function columnsOf(patch: DiscoveryPatch): [string, unknown][] {
  const { state, reason, found, lookAt, startedAt, endedAt } = patch;
  const columns: [string, unknown][] = [
    ['state', state],
    ['reason', reason === undefined ? undefined : storableJson(reason)],
    ['found', found === undefined ? undefined : storableJson(found)],
    ['look_at', lookAt],
    ['started_at', startedAt],
    ['ended_at', endedAt],
  ];
  return columns.filter(([, value]) => value !== undefined);
}

function toDiscovery(row: DiscoveryRow): Discovery {
  return {
    id: row.id,
    range: row.range,
    state: row.state,
    reason: row.reason,
    found: row.found,
    lookAt: row.look_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
