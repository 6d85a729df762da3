import type { ChartValues } from './catalog-entry.ts';

/**
 * Lays values over others as Helm does with several files: maps are merged, lists and everything else replaced. A null stays
 * in the outcome, because Helm takes it for "without the default of the chart".
 */
export function mergeValues(base: ChartValues, over: ChartValues): ChartValues {
  const merged: ChartValues = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const under = Object.hasOwn(base, key) ? base[key] : undefined;
    // As an own field: a key named __proto__ would change the object's prototype otherwise.
    Object.defineProperty(merged, key, {
      value: isMap(under) && isMap(value) ? mergeValues(under, value) : value,
      ...{ enumerable: true, writable: true, configurable: true },
    });
  }
  return merged;
}

const isMap = (value: unknown): value is ChartValues =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
