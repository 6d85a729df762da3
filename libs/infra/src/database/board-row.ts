import type { Board, BoardPatch } from '#core/nodes/board';
import type { NewOperation } from '#core/nodes/board-store';
import type { Operation, OperationPatch } from '#core/nodes/operation';
import { storableJson, storableText } from './storable-text.ts';
import type { BoardOperationRow } from './tables/board-operations.ts';
import type { BoardRow } from './tables/boards.ts';

/** How each field is kept: its column, and what is written there. */
type Columns<Fields, Row> = {
  [Field in keyof Fields]-?: [keyof Row & string, (value: Fields[Field]) => unknown];
};

const asIs = (value: unknown): unknown => value;

const BOARD: Columns<Board, BoardRow> = {
  id: ['id', asIs],
  version: ['version', asIs],
  name: ['name', asIs],
  address: ['address', asIs],
  sshPort: ['ssh_port', asIs],
  signInUser: ['sign_in_user', asIs],
  hostKeySha256: ['host_key_sha256', asIs],
  roles: ['roles', storableJson],
  labels: ['labels', storableJson],
  network: ['network', storableJson],
  storage: ['storage', storableJson],
  trial: ['trial', asIs],
  sealedSignIn: ['sealed_sign_in', asIs],
  sealedSudoPassword: ['sealed_sudo_password', asIs],
  facts: ['facts', storableJson],
  factsAt: ['facts_at', asIs],
  createdAt: ['created_at', asIs],
};

const OPERATION: Columns<Operation, BoardOperationRow> = {
  id: ['id', asIs],
  version: ['version', asIs],
  node: ['node', asIs],
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

export const boardColumns = (fields: BoardPatch | Board): [string, unknown][] => columnsOf(BOARD, fields);
export const operationColumns = (fields: OperationPatch | Operation): [string, unknown][] =>
  columnsOf(OPERATION, fields);

/** Fields that are left out, or undefined, stay out. */
function columnsOf<Fields extends object, Row>(
  columns: Columns<Fields, Row>,
  fields: Partial<Fields>,
): [string, unknown][] {
  return (Object.keys(columns) as (keyof Fields)[]).flatMap((field): [string, unknown][] => {
    const value = fields[field];
    const [column, write] = columns[field];
    return value === undefined ? [] : [[column, write(value)]];
  });
}

export function toBoard(row: BoardRow): Board {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    address: row.address,
    sshPort: row.ssh_port,
    signInUser: row.sign_in_user,
    hostKeySha256: row.host_key_sha256,
    roles: row.roles,
    labels: row.labels,
    network: row.network,
    storage: row.storage,
    trial: row.trial,
    sealedSignIn: row.sealed_sign_in,
    sealedSudoPassword: row.sealed_sudo_password,
    facts: row.facts,
    factsAt: row.facts_at,
    createdAt: row.created_at,
  };
}

/** An operation at its very beginning. */
export function begunOperation(operation: NewOperation): Operation {
  return {
    ...operation,
    version: 1,
    notes: {},
    state: 'waiting',
    reason: null,
    cancelRequestedAt: null,
    lookAt: operation.createdAt,
    startedAt: null,
    endedAt: null,
  };
}

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

export function toOperation(row: BoardOperationRow): Operation {
  return {
    id: row.id,
    version: row.version,
    node: row.node,
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
  };
}
