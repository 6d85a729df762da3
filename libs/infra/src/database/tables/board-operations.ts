import type { Reason } from '#core/jobs/job';
import type { OperationKind, OperationParameters, OperationState, StepProgress } from '#core/nodes/operation';
import {
  instant,
  integer,
  json,
  optionalInstant,
  optionalJson,
  optionalText,
  primaryKey,
  text,
} from './column-types.ts';
import { boardsTable } from './boards.ts';
import { defineTable } from './define-table.ts';

export interface BoardOperationRow {
  id: string;
  version: number;
  node: string;
  board_id: string | null;
  kind: OperationKind;
  parameters: OperationParameters;
  notes: Record<string, string>;
  state: OperationState;
  reason: Reason | null;
  /** Times are texts in JSON. */
  steps: (Omit<StepProgress, 'startedAt' | 'endedAt'> & {
    startedAt: string | null;
    endedAt: string | null;
  })[];
  cancel_requested_at: Date | null;
  look_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

export const boardOperationsTable = defineTable<BoardOperationRow>({
  name: 'board_operations',
  columns: {
    id: primaryKey('board_operations_pkey'),
    version: integer,
    node: text,
    board_id: optionalText,
    kind: text,
    parameters: json,
    notes: json,
    state: text,
    reason: optionalJson,
    steps: json,
    cancel_requested_at: optionalInstant,
    look_at: optionalInstant,
    created_at: instant,
    started_at: optionalInstant,
    ended_at: optionalInstant,
  },
  foreignKeys: [
    {
      name: 'board_operations_board',
      target: boardsTable,
      columnNames: ['board_id'],
      referencedColumnNames: ['id'],
      onDelete: 'SET NULL',
    },
  ],
  indices: [
    { name: 'board_operations_newest', columns: ['node', 'created_at', 'id'] },
    {
      name: 'board_operations_under_way',
      columns: ['node'],
      unique: true,
      where: `kind <> 'plan' AND state IN ('waiting', 'running')`,
    },
    { name: 'board_operations_due', columns: ['look_at'], where: 'look_at IS NOT NULL' },
  ],
});
