import type { BoardFacts, BoardNetwork, BoardRole, BoardStorage } from '#core/nodes/board';
import {
  boolean,
  instant,
  integer,
  json,
  optionalInstant,
  optionalJson,
  optionalText,
  primaryKey,
  text,
} from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface BoardRow {
  id: string;
  version: number;
  name: string;
  address: string;
  ssh_port: number;
  sign_in_user: string;
  host_key_sha256: string | null;
  roles: BoardRole[];
  labels: Record<string, string>;
  network: BoardNetwork | null;
  storage: BoardStorage | null;
  trial: boolean;
  sealed_sign_in: string | null;
  sealed_sudo_password: string | null;
  facts: BoardFacts | null;
  facts_at: Date | null;
  created_at: Date;
}

export const boardsTable = defineTable<BoardRow>({
  name: 'boards',
  columns: {
    id: primaryKey('boards_pkey'),
    version: integer,
    name: text,
    address: text,
    ssh_port: integer,
    sign_in_user: text,
    host_key_sha256: optionalText,
    roles: json,
    labels: json,
    network: optionalJson,
    storage: optionalJson,
    trial: boolean,
    sealed_sign_in: optionalText,
    sealed_sudo_password: optionalText,
    facts: optionalJson,
    facts_at: optionalInstant,
    created_at: instant,
  },
  indices: [
    { name: 'boards_name', columns: ['name'], unique: true, where: 'NOT trial' },
    { name: 'boards_address', columns: ['address'], unique: true, where: 'NOT trial' },
  ],
});
