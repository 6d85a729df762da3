import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardStore } from '#core/nodes/board-store';
import type { NewNodeEvent } from '#core/nodes/inventory/node-event';
import type { NodeOperation } from '#core/operations/operation';
import { begunOperation, type NewOperation } from '#core/operations/operation-store';
import { boardColumns, toBoard } from './board-row.ts';
import { compareAndSet } from './compare-and-set.ts';
import { insertEvent } from './node-event-row.ts';
import { operationColumns } from './operation-row.ts';
import { SqlParameters, insertValues, insertValuesFrom } from './sql-text.ts';
import type { BoardRow } from './tables/boards.ts';
import { TypeormOperationStore } from './typeorm-operation-store.ts';

/**
 * Boards and what is done with them, in PostgreSQL. What is written together is one statement, which is a transaction by itself; the
 * events of a board, and the ends of operations, are among it.
 */
export class TypeormBoardStore extends TypeormOperationStore implements BoardStore {
  async insert(
    board: Board,
    operation: NewOperation<NodeOperation>,
  ): Promise<{ taken: 'name' | 'address' } | undefined> {
    const parameters = new SqlParameters();
    const inserted = await this.rows<{ id: string }>(
      `WITH board AS (
         INSERT INTO boards ${insertValues(boardColumns(board), parameters)} ON CONFLICT DO NOTHING RETURNING id
       ), operation AS (
         INSERT INTO operations ${insertValuesFrom('board', operationColumns(begunOperation(operation)), parameters)}
       )${board.trial ? '' : `, told AS (${insertEvent(enrolledEvent(board), parameters, 'board')})`}
       SELECT id FROM board`,
      parameters.values,
    );
    if (inserted.length > 0) return undefined;
    return { taken: (await this.findByName(board.name)) === undefined ? 'address' : 'name' };
  }

  async find(id: string): Promise<Board | undefined> {
    const [row] = await this.rows<BoardRow>('SELECT * FROM boards WHERE id = $1', [id]);
    return row === undefined ? undefined : toBoard(row);
  }

  async findByName(name: string): Promise<Board | undefined> {
    const [row] = await this.rows<BoardRow>('SELECT * FROM boards WHERE name = $1 AND NOT trial', [name]);
    return row === undefined ? undefined : toBoard(row);
  }

  async list(): Promise<Board[]> {
    return (await this.rows<BoardRow>('SELECT * FROM boards WHERE NOT trial ORDER BY name')).map(toBoard);
  }

  async change(board: Board, patch: BoardPatch): Promise<Board | undefined> {
    const row = await compareAndSet<BoardRow>(this.dataSource, 'boards', board, boardColumns(patch));
    return row === undefined ? undefined : toBoard(row);
  }

  async remove(id: string, { during }: { during?: string } = {}): Promise<boolean> {
    const removed = await this.rows<{ id: string }>(
      `WITH removed AS (
         DELETE FROM boards WHERE id = $1 AND NOT EXISTS (
           SELECT FROM operations
           WHERE about = 'node' AND subject = boards.name AND id <> $2 AND kind <> 'plan' AND state IN ('waiting', 'running')
         ) RETURNING id, name, trial
       ), told AS (
         INSERT INTO node_events (node, at, type) SELECT name, now(), 'forgotten' FROM removed WHERE NOT trial
       ) SELECT id FROM removed`,
      [id, during ?? ''],
    );
    return removed.length > 0;
  }

  async removeTrials(before: Date): Promise<void> {
    await this.rows(
      `WITH trials AS (
         SELECT id FROM boards WHERE trial AND created_at < $1
       ), operations AS (
         DELETE FROM operations WHERE board_id IN (SELECT id FROM trials)
       )
       DELETE FROM boards WHERE id IN (SELECT id FROM trials)`,
      [before],
    );
  }
}

const enrolledEvent = ({ name, address, roles, createdAt }: Board): NewNodeEvent => ({
  ...{ node: name, at: createdAt, type: 'enrolled', state: null, operation: null },
  detail: `as ${roles.join(' and ')} at ${address}`,
});
