import type { OperationOutput } from '#core/nodes/operation';
import { boardOperationsTable } from './board-operations.ts';
import { primaryKey, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface BoardOperationOutputRow extends OperationOutput {
  operation_id: string;
}

export const boardOperationOutputTable = defineTable<BoardOperationOutputRow>({
  name: 'board_operation_output',
  columns: {
    operation_id: primaryKey('board_operation_output_pkey'),
    seq: primaryKey('board_operation_output_pkey', 'integer'),
    step: text,
    text,
  },
  foreignKeys: [
    {
      name: 'board_operation_output_operation',
      target: boardOperationsTable,
      columnNames: ['operation_id'],
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
});
