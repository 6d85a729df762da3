import type { Operation, OperationPatch } from '#core/operations/operation';
import { asIs, type Columns, columnsOf } from './row-columns.ts';
import { storableJson, storableText } from './storable-text.ts';
import type { OperationRow } from './tables/operations.ts';

const OPERATION: Columns<Operation, OperationRow> = {
  id: ['id', asIs],
  version: ['version', asIs],
  about: ['about', asIs],
  subject: ['subject', asIs],
  boardId: ['board_id', asIs],
  kind: ['kind', asIs],
  parameters: ['parameters', storableJson],
  notes: ['notes', storableJson],
  state: ['state', asIs],
  reason: ['reason', storableJson],
  steps: ['steps', (steps) => storableText(JSON.stringify(steps))],
  cancelRequestedAt: ['cancel_requested_at', asIs],
  lookAt: ['look_at', asIs],
  createdAt: ['created_at', asIs],
  startedAt: ['started_at', asIs],
  endedAt: ['ended_at', asIs],
};

export const operationColumns = (fields: OperationPatch | Operation): [string, unknown][] =>
  columnsOf(OPERATION, fields);

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

export function toOperation(row: OperationRow): Operation {
  return {
    id: row.id,
    version: row.version,
    about: row.about,
    subject: row.subject,
    boardId: row.board_id,
    kind: row.kind,
    parameters: row.parameters,
    notes: row.notes,
    state: row.state,
    reason: row.reason,
    steps: row.steps.map((step) => ({
      ...step,
      startedAt: date(step.startedAt),
      endedAt: date(step.endedAt),
    })),
    cancelRequestedAt: row.cancel_requested_at,
    lookAt: row.look_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    // The database keeps what it was given: `about` says which of both it is.
  } as Operation;
}
