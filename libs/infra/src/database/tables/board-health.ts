import type { Reason } from '#core/jobs/job';
import type { BoardCondition, HealthState } from '#core/nodes/inventory/board-health';
import { boardsTable } from './boards.ts';
import { instant, integer, json, optionalJson, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface BoardHealthRow {
  board_id: string;
  state: HealthState;
  reasons: Reason[];
  observed_at: Date;
  since: Date;
  condition: BoardCondition | null;
  failures: number;
  next_look_at: Date;
}

/** How each board was at the last look. Beside the board, whose version every change would raise. */
export const boardHealthTable = defineTable<BoardHealthRow>({
  name: 'board_health',
  columns: {
    board_id: primaryKey('board_health_pkey'),
    state: text,
    reasons: json,
    observed_at: instant,
    since: instant,
    condition: optionalJson,
    failures: integer,
    next_look_at: instant,
  },
  foreignKeys: [
    {
      name: 'board_health_board',
      target: boardsTable,
      columnNames: ['board_id'],
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
});
