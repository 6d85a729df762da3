import { appendFileSync, readFileSync } from 'node:fs';

/** Where this run of the tests notes what things cost; without it, nothing is noted. */
const LEDGER = process.env.BRAMBLE_TEST_COSTS;

export interface Cost {
  /** `spec`: a file of tests. `start`: bringing up a fixture. `process`: a process of a fixture, from start to end. */
  kind: 'spec' | 'start' | 'process';
  name: string;
  /** How long somebody waited for it. */
  wallSeconds?: number;
  /** User and system time, that of its children included. */
  cpuSeconds?: number;
}

export function noteCost(cost: Cost): void {
  if (LEDGER !== undefined) appendFileSync(LEDGER, `${JSON.stringify(cost)}\n`);
}

/** Brings up a fixture, and notes how long that took. */
export async function timed<T>(name: string, bringUp: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const fixture = await bringUp();
  noteCost({ kind: 'start', name, wallSeconds: (performance.now() - startedAt) / 1000 });
  return fixture;
}

export interface CostSum {
  name: string;
  count: number;
  wallSeconds: number;
  cpuSeconds: number;
}

/** What a run has noted, by kind, the most expensive first. */
export function readCosts(ledger: string): Record<Cost['kind'], CostSum[]> {
  const costs = readFileSync(ledger, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Cost);
  const sums = (kind: Cost['kind']): CostSum[] =>
    [
      ...Map.groupBy(
        costs.filter((cost) => cost.kind === kind),
        ({ name }) => name,
      ),
    ]
      .map(([name, group]) => ({
        name,
        count: group.length,
        wallSeconds: group.reduce((sum, { wallSeconds = 0 }) => sum + wallSeconds, 0),
        cpuSeconds: group.reduce((sum, { cpuSeconds = 0 }) => sum + cpuSeconds, 0),
      }))
      .toSorted((one, other) => other.cpuSeconds - one.cpuSeconds || other.wallSeconds - one.wallSeconds);
  return { spec: sums('spec'), start: sums('start'), process: sums('process') };
}
