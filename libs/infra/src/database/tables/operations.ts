import type { Reason } from '#core/jobs/job';
import type { Operation, OperationState, StepProgress, SubjectKind } from '#core/operations/operation';
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

export interface OperationRow {
  id: string;
  version: number;
  about: SubjectKind;
  subject: string;
  board_id: string | null;
  kind: Operation['kind'];
  parameters: Operation['parameters'];
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

export const operationsTable = defineTable<OperationRow>({
  name: 'operations',
  columns: {
    id: primaryKey('operations_pkey'),
    version: integer,
    about: text,
    subject: text,
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
      name: 'operations_board',
      target: boardsTable,
      columnNames: ['board_id'],
      referencedColumnNames: ['id'],
      onDelete: 'SET NULL',
    },
  ],
  indices: [
    { name: 'operations_newest', columns: ['about', 'subject', 'created_at', 'id'] },
    {
      name: 'operations_under_way',
      columns: ['about', 'subject'],
      unique: true,
      where: `kind <> 'plan' AND state IN ('waiting', 'running')`,
    },
    { name: 'operations_due', columns: ['look_at'], where: 'look_at IS NOT NULL' },
  ],
});
