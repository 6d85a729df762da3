import { instant, optionalJson, primaryKey } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface ObservationRow {
  kind: 'cluster' | 'kubernetes' | 'tracking';
  observed_at: Date;
  data: unknown;
}

/** The last answer of each kind; there is no history. */
export const observationsTable = defineTable<ObservationRow>({
  name: 'observations',
  columns: { kind: primaryKey('observations_pkey'), observed_at: instant, data: optionalJson },
});
