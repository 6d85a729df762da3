/** One table of the result. The first columns hold text and are aligned left, the others numbers. */
export interface ResultTable {
  /** Names the place in docs/benchmarks.md that it goes to. */
  id: string;
  title: string;
  textColumns: number;
  columns: string[];
  rows: string[][];
}

/** As a Markdown table that can be read as plain text too. */
export function renderTable({ columns, rows, textColumns }: ResultTable): string {
  const widths = columns.map((column, index) =>
    Math.max(3, ...[column, ...rows.map((row) => row[index] ?? '')].map(({ length }) => length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => align(cells[index] ?? '', width, index < textColumns)).join(' | ')} |`;
  const rule = widths.map((width, index) =>
    index < textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(columns), line(rule), ...rows.map(line)].join('\n');
}

const align = (text: string, width: number, left: boolean): string =>
  left ? text.padEnd(width) : text.padStart(width);

/** Three digits that count, as nobody should read more out of a measurement. */
export function figure(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export const times = (ratio: number): string => `${figure(ratio)}×`;
