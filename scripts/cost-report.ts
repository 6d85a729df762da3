import { type CostSum, readCosts } from '../test/costs/ledger.ts';

const SHOWN = 10;

/** The most expensive specs and fixtures of a run, as lines of text. */
export function costReport(ledger: string): string[] {
  const { spec, start, process } = readCosts(ledger);
  return [
    ...table('Specs, with the processes that they started and ended', spec),
    ...table('Starts of fixtures', start),
    ...table('Processes of fixtures', process),
  ];
}

function table(title: string, sums: readonly CostSum[]): string[] {
  const rows = sums
    .slice(0, SHOWN)
    .map(
      ({ name, count, wallSeconds, cpuSeconds }) =>
        `${shown(cpuSeconds)} ${shown(wallSeconds)} ${String(count).padStart(6)}  ${name}`,
    );
  return ['', title, `${'CPU s'.padStart(8)} ${'s'.padStart(8)} ${'times'.padStart(6)}`, ...rows];
}

const shown = (seconds: number): string => (seconds === 0 ? '' : seconds.toFixed(1)).padStart(8);
