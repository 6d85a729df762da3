/** How each field is kept: its column, and what is written there. */
export type Columns<Fields, Row> = {
  [Field in keyof Fields]-?: [keyof Row & string, (value: Fields[Field]) => unknown];
};

export const asIs = (value: unknown): unknown => value;

/** Fields that are left out, or undefined, stay out. */
export function columnsOf<Fields extends object, Row>(
  columns: Columns<Fields, Row>,
  fields: Partial<Fields>,
): [string, unknown][] {
  return (Object.keys(columns) as (keyof Fields)[]).flatMap((field): [string, unknown][] => {
    const value = fields[field];
    const [column, write] = columns[field];
    return value === undefined ? [] : [[column, write(value)]];
  });
}
