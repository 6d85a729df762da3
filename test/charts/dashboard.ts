import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartDirectory } from './render.ts';

export interface Target {
  refId: string;
  expr: string;
  datasource: { type: string; uid: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  targets?: Target[];
  fieldConfig?: {
    defaults: { unit?: string; thresholds?: { steps: { color: string; value: number | null }[] } };
  };
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  tags: string[];
  schemaVersion: number;
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  panels: Panel[];
}

const DIRECTORY = join(chartDirectory('bramble'), 'dashboards');

/** The dashboards of Bramble's chart by their file names, without `.json`. */
export const dashboards: [name: string, dashboard: Dashboard][] = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.json'))
  .map((file) => [
    file.slice(0, -'.json'.length),
    JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')) as Dashboard,
  ]);

/** Everything that is asked of Prometheus: of panels, and of variables that list values. */
export function expressions({ panels, templating }: Dashboard): string[] {
  const lists = templating.list
    .map(({ query }) => (typeof query === 'string' ? query : query.query))
    .flatMap((query) => /^label_values\((.*), *\w+\)$/.exec(query)?.[1] ?? []);
  return [...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...lists];
}

/** With values in place of variables, as Grafana sends it. */
export const filledIn = (expression: string): string =>
  expression.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'boards').replaceAll(/\$\w+/g, '.*');

const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset']);

/** The metrics that a query reads: all words that are neither labels, functions nor operators. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const words = bare.match(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  return [...new Set(words.filter((word) => !KEYWORDS.has(word)))];
}
