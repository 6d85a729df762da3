import { bigint, instant, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface ArtifactRow {
  id: string;
  owner_id: string;
  name: string;
  size: string;
  sha256: string;
  created_at: Date;
}

export const artifactsTable = defineTable<ArtifactRow>({
  name: 'artifacts',
  columns: {
    id: primaryKey('artifacts_pkey'),
    owner_id: text,
    name: text,
    size: bigint,
    sha256: text,
    created_at: instant,
  },
  indices: [
    { name: 'artifacts_owner_newest', columns: ['owner_id', 'created_at', 'id'] },
    { name: 'artifacts_same', columns: ['owner_id', 'sha256'] },
  ],
});
