import type { DataSource } from 'typeorm';
import type { BoardHealth } from '#core/nodes/inventory/board-health';
import type { BoardInventory, KnownBoard } from '#core/nodes/inventory/board-inventory';
import type { NodeOperation, NodeOperationKind } from '#core/operations/operation';
import { toBoard } from './board-row.ts';
import { toOperation } from './operation-row.ts';
import { runSql } from './run-sql.ts';
import { storableJson } from './storable-text.ts';
import type { BoardHealthRow } from './tables/board-health.ts';
import type { OperationRow } from './tables/operations.ts';
import type { BoardRow } from './tables/boards.ts';

/** Boards and how they are, in PostgreSQL. */
export class TypeormBoardInventory implements BoardInventory {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async list(): Promise<KnownBoard[]> {
    const [boards, health] = await Promise.all([
      runSql<BoardRow & { busy: boolean }>(
        this.#dataSource,
        `SELECT boards.*, EXISTS (
           SELECT FROM operations
           WHERE about = 'node' AND subject = boards.name AND kind <> 'plan' AND state IN ('waiting', 'running')
         ) AS busy
         FROM boards WHERE NOT trial ORDER BY name`,
      ),
      runSql<BoardHealthRow>(this.#dataSource, 'SELECT * FROM board_health'),
    ]);
    const healthOf = new Map(health.map((row) => [row.board_id, toBoardHealth(row)]));
    return boards.map((row) => ({
      board: toBoard(row),
      health: healthOf.get(row.id) ?? null,
      busy: row.busy,
    }));
  }

  async lastEnded(kinds: readonly NodeOperationKind[]): Promise<Map<string, NodeOperation>> {
    const rows = await runSql<OperationRow>(
      this.#dataSource,
      `SELECT last.* FROM boards CROSS JOIN LATERAL (
         SELECT * FROM operations
         WHERE about = 'node' AND subject = boards.name AND board_id = boards.id
           AND kind = ANY ($1) AND state IN ('done', 'failed', 'cancelled')
         ORDER BY created_at DESC, id DESC LIMIT 1
       ) AS last WHERE NOT trial`,
      [kinds],
    );
    return new Map(
      rows
        .map(toOperation)
        .flatMap((operation): [string, NodeOperation][] =>
          operation.about === 'node' ? [[operation.boardId ?? '', operation]] : [],
        ),
    );
  }

  async recordHealth(health: BoardHealth): Promise<void> {
    await runSql(
      this.#dataSource,
      `INSERT INTO board_health
         (board_id, state, reasons, observed_at, since, condition, failures, next_look_at)
       SELECT id, $2::text, $3::jsonb, $4::timestamptz, $5::timestamptz, $6::jsonb, $7::integer, $8::timestamptz FROM boards WHERE id = $1 FOR KEY SHARE
       ON CONFLICT (board_id) DO UPDATE SET
         state = excluded.state, reasons = excluded.reasons, observed_at = excluded.observed_at,
         since = excluded.since, condition = excluded.condition, failures = excluded.failures,
         next_look_at = excluded.next_look_at`,
      [
        health.boardId,
        health.state,
        storableJson(health.reasons),
        health.observedAt,
        health.since,
        storableJson(health.condition),
        health.failures,
        health.nextLookAt,
      ],
    );
  }
}

function toBoardHealth(row: BoardHealthRow): BoardHealth {
  return {
    boardId: row.board_id,
    state: row.state,
    reasons: row.reasons,
    observedAt: row.observed_at,
    since: row.since,
    condition: row.condition,
    failures: row.failures,
    nextLookAt: row.next_look_at,
  };
}
