import type { DataSource } from 'typeorm';
import { operationEvent } from '#core/nodes/inventory/node-event';
import type {
  Operation,
  OperationAbout,
  OperationOutput,
  OperationPatch,
  SubjectKind,
} from '#core/operations/operation';
import { begunOperation, type NewOperation, type OperationStore } from '#core/operations/operation-store';
import { compareAndSet } from './compare-and-set.ts';
import { operationColumns, toOperation } from './operation-row.ts';
import { runSql } from './run-sql.ts';
import { SqlParameters, insertValues } from './sql-text.ts';
import { storableText } from './storable-text.ts';
import type { OperationRow } from './tables/operations.ts';

/** Pieces of output that an operation may have. */
const MOST_OUTPUT = 10_000;

/**
 * Operations in PostgreSQL. What is written together is one statement, which is a transaction by itself; the ends of
 * operations on nodes are told among the events of the node.
 */
export class TypeormOperationStore implements OperationStore {
  protected readonly dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.dataSource = dataSource;
  }

  async removeOperations(before: Date, keep: number): Promise<void> {
    await this.rows(
      `WITH ranked AS (
         SELECT id, ended_at, row_number() OVER (PARTITION BY about, subject ORDER BY created_at DESC, id DESC) AS place
         FROM operations WHERE kind <> 'plan'
       )
       DELETE FROM operations WHERE id IN (SELECT id FROM ranked WHERE ended_at < $1 AND place > $2)`,
      [before, keep],
    );
  }

  async removePlans(before: Date): Promise<void> {
    await this.rows(`DELETE FROM operations WHERE kind = 'plan' AND ended_at < $1`, [before]);
  }

  async begin<One extends Operation>(newOperation: NewOperation<One>): Promise<One | undefined> {
    const operation = begunOperation<One>(newOperation);
    const parameters = new SqlParameters();
    const [begun] = await this.rows<{ id: string }>(
      `WITH begun AS (
         INSERT INTO operations ${insertValues(operationColumns(operation), parameters)}
         ON CONFLICT (about, subject) WHERE kind <> 'plan' AND state IN ('waiting', 'running') DO NOTHING RETURNING id
       ) SELECT id FROM begun`,
      parameters.values,
    );
    return begun === undefined ? undefined : operation;
  }

  async findOperation(id: string): Promise<Operation | undefined> {
    const [row] = await this.rows<OperationRow>('SELECT * FROM operations WHERE id = $1', [id]);
    return row === undefined ? undefined : toOperation(row);
  }

  async operationsOf<About extends SubjectKind>(
    about: About,
    subject: string,
    limit: number,
  ): Promise<OperationAbout<About>[]> {
    const rows = await this.rows<OperationRow>(
      `SELECT * FROM operations WHERE about = $1 AND subject = $2 AND kind <> 'plan'
       ORDER BY created_at DESC, id DESC LIMIT $3`,
      [about, subject, limit],
    );
    return rows.map(toOperation) as OperationAbout<About>[];
  }

  async changeOperation<One extends Operation>(
    operation: One,
    patch: OperationPatch,
  ): Promise<One | undefined> {
    const event = operation.about === 'node' ? operationEvent(operation, patch) : undefined;
    const row = await compareAndSet<OperationRow>(
      this.dataSource,
      'operations',
      operation,
      operationColumns(patch),
      event === undefined ? undefined : { ...event, at: patch.endedAt ?? new Date() },
    );
    return row === undefined ? undefined : (toOperation(row) as One);
  }

  async takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]> {
    const rows = await this.rows<OperationRow>(
      `WITH due AS (
         SELECT id, look_at AS due_at FROM operations WHERE look_at <= $1
         ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE operations SET look_at = $2 FROM due WHERE operations.id = due.id
         RETURNING operations.*, due.due_at
       )
       SELECT * FROM taken ORDER BY due_at, id`,
      [now, putOffUntil, limit],
    );
    return rows.map(toOperation);
  }

  async say(operationId: string, step: string, text: string): Promise<void> {
    await this.rows(
      `INSERT INTO operation_output (operation_id, seq, step, text)
       SELECT $1, last + 1, $2, $3
       FROM (SELECT coalesce(max(seq), 0) AS last FROM operation_output WHERE operation_id = $1) AS known
       WHERE last < ${MOST_OUTPUT}`,
      [operationId, step, storableText(text)],
    );
  }

  async outputAfter(operationId: string, seq: number, limit: number): Promise<OperationOutput[]> {
    return this.rows<OperationOutput>(
      `SELECT seq, step, text FROM operation_output
       WHERE operation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [operationId, seq, limit],
    );
  }

  async putOffOperation(id: string, until: Date): Promise<void> {
    await this.rows(`UPDATE operations SET look_at = $2 WHERE id = $1 AND state IN ('waiting', 'running')`, [
      id,
      until,
    ]);
  }

  protected rows<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.dataSource, sql, parameters);
  }
}
