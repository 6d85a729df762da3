import type { User } from '#core/access/user';
import { instant, optionalBigint, optionalInstant, optionalText, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface UserRow {
  id: string;
  name: string;
  role: User['role'];
  account: string | null;
  account_status: User['accountStatus'];
  account_message: string | null;
  account_uid: string | null;
  /** When the cluster was last asked about the account. */
  account_checked_at: Date | null;
  created_at: Date;
}

export const usersTable = defineTable<UserRow>({
  name: 'users',
  columns: {
    id: primaryKey('users_pkey'),
    name: text,
    role: text,
    account: optionalText,
    account_status: text,
    account_message: optionalText,
    account_uid: optionalBigint,
    account_checked_at: optionalInstant,
    created_at: instant,
  },
  indices: [{ name: 'users_name', columns: ['name'], unique: true }],
});
