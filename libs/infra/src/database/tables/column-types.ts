import type { EntitySchemaColumnOptions } from 'typeorm';

export const text: EntitySchemaColumnOptions = { type: 'text' };
export const optionalText: EntitySchemaColumnOptions = { type: 'text', nullable: true };
export const integer: EntitySchemaColumnOptions = { type: 'integer' };
export const optionalInteger: EntitySchemaColumnOptions = { type: 'integer', nullable: true };
export const boolean: EntitySchemaColumnOptions = { type: 'boolean' };
/** Arrives as text: JavaScript's numbers do not hold all of it. */
export const bigint: EntitySchemaColumnOptions = { type: 'bigint' };
export const optionalBigint: EntitySchemaColumnOptions = { type: 'bigint', nullable: true };
export const json: EntitySchemaColumnOptions = { type: 'jsonb' };
export const optionalJson: EntitySchemaColumnOptions = { type: 'jsonb', nullable: true };
/** To the millisecond, as JavaScript counts: a date that is read back equals the one that was written. */
export const instant: EntitySchemaColumnOptions = { type: 'timestamptz', precision: 3 };
export const optionalInstant: EntitySchemaColumnOptions = {
  type: 'timestamptz',
  precision: 3,
  nullable: true,
};

/** A primary key that the database counts up. It arrives as text, as {@link bigint} does. */
export function countedKey(constraint: string): EntitySchemaColumnOptions {
  return {
    type: 'bigint',
    primary: true,
    primaryKeyConstraintName: constraint,
    generated: 'increment',
  };
}

export function primaryKey(constraint: string, type: 'text' | 'integer' = 'text'): EntitySchemaColumnOptions {
  return { type, primary: true, primaryKeyConstraintName: constraint };
}
