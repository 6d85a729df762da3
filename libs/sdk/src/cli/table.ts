export interface Column<T> {
  title: string;
  value: (row: T) => string | number | null;
  align?: 'left' | 'right';
}

/** Rows under aligned titles, in plain text. What is null is shown as `-`. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row) ?? '-'))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Names and what belongs to them, one a line. */
export function details(
  entries: readonly (readonly [name: string, value: string | number | null])[],
): string {
  const shown = entries.filter(([, value]) => value !== null && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${printable(value ?? '')}\n`).join('');
}

const pad = (text: string, width: number, align: 'left' | 'right'): string =>
  align === 'left' ? text.padEnd(width) : text.padStart(width);

/** On one line, and without sequences that a terminal would obey. */
export const printable = (value: string | number): string => String(value).replace(/\p{Cc}+/gu, ' ');
