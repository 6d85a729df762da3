import type { AppliedPart, ServiceRevision } from '#core/services/service';
import { instant, json, optionalText, primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';
import { servicesTable } from './services.ts';

export interface ServiceRevisionRow {
  service: string;
  revision: number;
  operation_id: string;
  kind: ServiceRevision['kind'];
  reason: string | null;
  at: Date;
  sealed_wanted: string;
  parts: AppliedPart[];
}

export const serviceRevisionsTable = defineTable<ServiceRevisionRow>({
  name: 'service_revisions',
  columns: {
    service: primaryKey('service_revisions_pkey'),
    revision: primaryKey('service_revisions_pkey', 'integer'),
    operation_id: text,
    kind: text,
    reason: optionalText,
    at: instant,
    sealed_wanted: text,
    parts: json,
  },
  foreignKeys: [
    {
      name: 'service_revisions_service',
      target: servicesTable,
      columnNames: ['service'],
      referencedColumnNames: ['name'],
      onDelete: 'CASCADE',
    },
  ],
  indices: [{ name: 'service_revisions_operation', columns: ['operation_id'], unique: true }],
});
