import type { DataSource } from 'typeorm';
import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardStore, NewOperation } from '#core/nodes/board-store';
import { type NewNodeEvent, operationEvent } from '#core/nodes/inventory/node-event';
import type { Operation, OperationOutput, OperationPatch } from '#core/nodes/operation';
import { begunOperation, boardColumns, operationColumns, toBoard, toOperation } from './board-row.ts';
import { insertEvent } from './node-event-row.ts';
import { runSql } from './run-sql.ts';
import { storableText } from './storable-text.ts';
import { columnList, SqlParameters } from './sql-text.ts';
import type { BoardOperationRow } from './tables/board-operations.ts';
import type { BoardRow } from './tables/boards.ts';

/** Pieces of output that an operation may have. */
const MOST_OUTPUT = 10_000;

/**
 * Boards and operations in PostgreSQL. What is written together is one statement, which is a transaction by itself; the
 * events of a board, and the ends of operations, are among it.
 */
export class TypeormBoardStore implements BoardStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async insert(board: Board, operation: NewOperation): Promise<{ taken: 'name' | 'address' } | undefined> {
    const parameters = new SqlParameters();
    const inserted = await this.#rows<{ id: string }>(
      `WITH board AS (
         INSERT INTO boards ${values(boardColumns(board), parameters)} ON CONFLICT DO NOTHING RETURNING id
       ), operation AS (
         INSERT INTO board_operations ${valuesFrom('board', operationColumns(begunOperation(operation)), parameters)}
       )${board.trial ? '' : `, told AS (${insertEvent(enrolledEvent(board), parameters, 'board')})`}
       SELECT id FROM board`,
      parameters.values,
    );
    if (inserted.length > 0) return undefined;
    return { taken: (await this.findByName(board.name)) === undefined ? 'address' : 'name' };
  }

  async find(id: string): Promise<Board | undefined> {
    const [row] = await this.#rows<BoardRow>('SELECT * FROM boards WHERE id = $1', [id]);
    return row === undefined ? undefined : toBoard(row);
  }

  async findByName(name: string): Promise<Board | undefined> {
    const [row] = await this.#rows<BoardRow>('SELECT * FROM boards WHERE name = $1 AND NOT trial', [name]);
    return row === undefined ? undefined : toBoard(row);
  }

  async list(): Promise<Board[]> {
    return (await this.#rows<BoardRow>('SELECT * FROM boards WHERE NOT trial ORDER BY name')).map(toBoard);
  }

  async change(board: Board, patch: BoardPatch): Promise<Board | undefined> {
    const row = await this.#compareAndSet<BoardRow>('boards', board, boardColumns(patch));
    return row === undefined ? undefined : toBoard(row);
  }

  async remove(id: string, { during }: { during?: string } = {}): Promise<boolean> {
    const removed = await this.#rows<{ id: string }>(
      `WITH removed AS (
         DELETE FROM boards WHERE id = $1 AND NOT EXISTS (
           SELECT FROM board_operations
           WHERE node = boards.name AND id <> $2 AND kind <> 'plan' AND state IN ('waiting', 'running')
         ) RETURNING id, name, trial
       ), told AS (
         INSERT INTO node_events (node, at, type) SELECT name, now(), 'forgotten' FROM removed WHERE NOT trial
       ) SELECT id FROM removed`,
      [id, during ?? ''],
    );
    return removed.length > 0;
  }

  async removeTrials(before: Date): Promise<void> {
    await this.#rows(
      `WITH trials AS (
         SELECT id FROM boards WHERE trial AND created_at < $1
       ), operations AS (
         DELETE FROM board_operations WHERE board_id IN (SELECT id FROM trials)
       )
       DELETE FROM boards WHERE id IN (SELECT id FROM trials)`,
      [before],
    );
  }

  async removeOperations(before: Date, keep: number): Promise<void> {
    await this.#rows(
      `WITH ranked AS (
         SELECT id, ended_at, row_number() OVER (PARTITION BY node ORDER BY created_at DESC, id DESC) AS place
         FROM board_operations WHERE kind <> 'plan'
       )
       DELETE FROM board_operations WHERE id IN (SELECT id FROM ranked WHERE ended_at < $1 AND place > $2)`,
      [before, keep],
    );
  }

  async begin(newOperation: NewOperation): Promise<Operation | undefined> {
    const operation = begunOperation(newOperation);
    const parameters = new SqlParameters();
    const [begun] = await this.#rows<{ id: string }>(
      `WITH begun AS (
         INSERT INTO board_operations ${values(operationColumns(operation), parameters)}
         ON CONFLICT (node) WHERE kind <> 'plan' AND state IN ('waiting', 'running') DO NOTHING RETURNING id
       ) SELECT id FROM begun`,
      parameters.values,
    );
    return begun === undefined ? undefined : operation;
  }

  async findOperation(id: string): Promise<Operation | undefined> {
    const [row] = await this.#rows<BoardOperationRow>('SELECT * FROM board_operations WHERE id = $1', [id]);
    return row === undefined ? undefined : toOperation(row);
  }

  async operationsOf(node: string, limit: number): Promise<Operation[]> {
    const rows = await this.#rows<BoardOperationRow>(
      `SELECT * FROM board_operations WHERE node = $1 AND kind <> 'plan'
       ORDER BY created_at DESC, id DESC LIMIT $2`,
      [node, limit],
    );
    return rows.map(toOperation);
  }

  async changeOperation(operation: Operation, patch: OperationPatch): Promise<Operation | undefined> {
    const event = operationEvent(operation, patch);
    const row = await this.#compareAndSet<BoardOperationRow>(
      'board_operations',
      operation,
      operationColumns(patch),
      event === undefined ? undefined : { ...event, at: patch.endedAt ?? new Date() },
    );
    return row === undefined ? undefined : toOperation(row);
  }

  async takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]> {
    const rows = await this.#rows<BoardOperationRow>(
      `WITH due AS (
         SELECT id, look_at AS due_at FROM board_operations WHERE look_at <= $1
         ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE board_operations SET look_at = $2 FROM due WHERE board_operations.id = due.id
         RETURNING board_operations.*, due.due_at
       )
       SELECT * FROM taken ORDER BY due_at, id`,
      [now, putOffUntil, limit],
    );
    return rows.map(toOperation);
  }

  async say(operationId: string, step: string, text: string): Promise<void> {
    await this.#rows(
      `INSERT INTO board_operation_output (operation_id, seq, step, text)
       SELECT $1, last + 1, $2, $3
       FROM (SELECT coalesce(max(seq), 0) AS last FROM board_operation_output WHERE operation_id = $1) AS known
       WHERE last < ${MOST_OUTPUT}`,
      [operationId, step, storableText(text)],
    );
  }

  async outputAfter(operationId: string, seq: number, limit: number): Promise<OperationOutput[]> {
    return this.#rows<OperationOutput>(
      `SELECT seq, step, text FROM board_operation_output
       WHERE operation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [operationId, seq, limit],
    );
  }

  async putOffOperation(id: string, until: Date): Promise<void> {
    await this.#rows(
      `UPDATE board_operations SET look_at = $2 WHERE id = $1 AND state IN ('waiting', 'running')`,
      [id, until],
    );
  }

  async #compareAndSet<Row>(
    table: string,
    { id, version }: { id: string; version: number },
    columns: [string, unknown][],
    event?: NewNodeEvent,
  ): Promise<Row | undefined> {
    const parameters = new SqlParameters();
    const assignments = columns.map(([column, value]) => `${column} = ${parameters.add(value)}`);
    const [row] = await this.#rows<Row>(
      `WITH changed AS (
         UPDATE ${table} SET ${['version = version + 1', ...assignments].join(', ')}
         WHERE id = ${parameters.add(id)} AND version = ${parameters.add(version)} RETURNING *
       )${event === undefined ? '' : `, told AS (${insertEvent(event, parameters, 'changed')})`}
       SELECT * FROM changed`,
      parameters.values,
    );
    return row;
  }

  #rows<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.#dataSource, sql, parameters);
  }
}

const enrolledEvent = ({ name, address, roles, createdAt }: Board): NewNodeEvent => ({
  ...{ node: name, at: createdAt, type: 'enrolled', state: null, operation: null },
  detail: `as ${roles.join(' and ')} at ${address}`,
});

function values(columns: [string, unknown][], parameters: SqlParameters): string {
  const names = columnList(columns.map(([column]) => column));
  return `(${names}) VALUES (${columns.map(([, value]) => parameters.add(value)).join(', ')})`;
}

/** A row where the source has one, and else none. */
function valuesFrom(source: string, columns: [string, unknown][], parameters: SqlParameters): string {
  const names = columnList(columns.map(([column]) => column));
  const casts = columns.map(([column, value]) => `${parameters.add(value)}::${TYPES[column] ?? 'text'}`);
  return `(${names}) SELECT ${casts.join(', ')} FROM ${source}`;
}

/** A SELECT does not learn the types of its parameters from the table that it is written to. */
const TYPES: Partial<Record<string, string>> = {
  version: 'integer',
  parameters: 'jsonb',
  notes: 'jsonb',
  reason: 'jsonb',
  steps: 'jsonb',
  cancel_requested_at: 'timestamptz',
  look_at: 'timestamptz',
  created_at: 'timestamptz',
  started_at: 'timestamptz',
  ended_at: 'timestamptz',
};
