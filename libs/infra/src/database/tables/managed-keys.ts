import { instant, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface ManagedKeyRow {
  id: string;
  public_key_line: string;
  sealed_private_key: string;
  created_at: Date;
}

export const managedKeysTable = defineTable<ManagedKeyRow>({
  name: 'managed_keys',
  columns: {
    id: primaryKey('managed_keys_pkey'),
    public_key_line: text,
    sealed_private_key: text,
    created_at: instant,
  },
});
