import type { ServiceObservation } from '#core/services/service';
import { instant, optionalJson, primaryKey } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface ServiceRow {
  name: string;
  /** Times are texts in JSON. */
  observation: (Omit<ServiceObservation, 'observedAt'> & { observedAt: string }) | null;
  created_at: Date;
}

export const servicesTable = defineTable<ServiceRow>({
  name: 'services',
  columns: { name: primaryKey('services_pkey'), observation: optionalJson, created_at: instant },
});
