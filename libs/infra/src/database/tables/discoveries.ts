import type { Reason } from '#core/jobs/job';
import type { DiscoveryState, FoundMachine } from '#core/nodes/discovery/discovery';
import { instant, json, optionalInstant, optionalJson, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface DiscoveryRow {
  id: string;
  range: string;
  state: DiscoveryState;
  reason: Reason | null;
  found: FoundMachine[];
  look_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

export const discoveriesTable = defineTable<DiscoveryRow>({
  name: 'discoveries',
  columns: {
    id: primaryKey('discoveries_pkey'),
    range: text,
    state: text,
    reason: optionalJson,
    found: json,
    look_at: optionalInstant,
    created_at: instant,
    started_at: optionalInstant,
    ended_at: optionalInstant,
  },
  indices: [{ name: 'discoveries_due', columns: ['look_at'], where: 'look_at IS NOT NULL' }],
});
