import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderTable, type ResultTable } from './result-table.ts';

const PAGE = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));

/** Puts the results between their markers in docs/benchmarks.md; what is written around them stays. */
export function writeReport(
  conditions: string,
  tables: readonly ResultTable[],
  conditionsId = 'conditions',
): void {
  let page = readFileSync(PAGE, 'utf8');
  page = replaced(page, conditionsId, conditions);
  for (const table of tables) page = replaced(page, table.id, renderTable(table));
  writeFileSync(PAGE, page);
}

function replaced(page: string, id: string, content: string): string {
  const [begin, end] = [`<!-- begin ${id} -->`, `<!-- end ${id} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no "${begin}" before a "${end}"`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
