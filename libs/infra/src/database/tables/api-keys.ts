import type { Permission } from '#core/access/permissions';
import { instant, optionalInstant, optionalJson, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';
import { usersTable } from './users.ts';

export interface ApiKeyRow {
  id: string;
  user_id: string;
  label: string;
  prefix: string;
  sha256: string;
  scopes: Permission[] | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

export const apiKeysTable = defineTable<ApiKeyRow>({
  name: 'api_keys',
  columns: {
    id: primaryKey('api_keys_pkey'),
    user_id: text,
    label: text,
    prefix: text,
    sha256: text,
    scopes: optionalJson,
    created_at: instant,
    expires_at: optionalInstant,
    revoked_at: optionalInstant,
  },
  indices: [
    { name: 'api_keys_prefix', columns: ['prefix'], unique: true },
    { name: 'api_keys_user', columns: ['user_id'] },
  ],
  foreignKeys: [
    { name: 'api_keys_user_id', target: usersTable, columnNames: ['user_id'], referencedColumnNames: ['id'] },
  ],
});
