import type { OperationOutput } from '#core/operations/operation';
import { operationsTable } from './operations.ts';
import { primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface OperationOutputRow extends OperationOutput {
  operation_id: string;
}

export const operationOutputTable = defineTable<OperationOutputRow>({
  name: 'operation_output',
  columns: {
    operation_id: primaryKey('operation_output_pkey'),
    seq: primaryKey('operation_output_pkey', 'integer'),
    step: text,
    text,
  },
  foreignKeys: [
    {
      name: 'operation_output_operation',
      target: operationsTable,
      columnNames: ['operation_id'],
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
});
