/** Collects the parameters of a statement while its text is put together. */
export class SqlParameters {
  readonly values: unknown[] = [];

  /** @returns the placeholder of the value: `$1`, `$2` … */
  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

/** Column names in a list, each with the table's name before it where one is given. */
export function columnList(columns: readonly string[], table?: string): string {
  return columns.map((column) => (table === undefined ? column : `${table}.${column}`)).join(', ');
}

/** Columns and values of an INSERT. */
export function insertValues(columns: [string, unknown][], parameters: SqlParameters): string {
  const names = columnList(columns.map(([column]) => column));
  return `(${names}) VALUES (${columns.map(([, value]) => parameters.add(value)).join(', ')})`;
}

/** A row where the source has one, and else none. */
export function insertValuesFrom(
  source: string,
  columns: [string, unknown][],
  parameters: SqlParameters,
): string {
  const names = columnList(columns.map(([column]) => column));
  const casts = columns.map(([column, value]) => `${parameters.add(value)}::${TYPES[column] ?? 'text'}`);
  return `(${names}) SELECT ${casts.join(', ')} FROM ${source}`;
}

/** A SELECT does not learn the types of its parameters from the table that it is written to. */
const TYPES: Partial<Record<string, string>> = {
  version: 'integer',
  parameters: 'jsonb',
  notes: 'jsonb',
  reason: 'jsonb',
  steps: 'jsonb',
  cancel_requested_at: 'timestamptz',
  look_at: 'timestamptz',
  created_at: 'timestamptz',
  started_at: 'timestamptz',
  ended_at: 'timestamptz',
};
