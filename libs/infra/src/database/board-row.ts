import type { Board, BoardPatch } from '#core/nodes/board';
import { asIs, type Columns, columnsOf } from './row-columns.ts';
import { storableJson } from './storable-text.ts';
import type { BoardRow } from './tables/boards.ts';

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

export const boardColumns = (fields: BoardPatch | Board): [string, unknown][] => columnsOf(BOARD, fields);
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
