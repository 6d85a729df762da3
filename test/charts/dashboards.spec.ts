import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { dashboards, expressions, filledIn, metricNames } from './dashboard.ts';
import type { Panel } from './dashboard.ts';
import { startPrometheus } from './scraped-names.ts';
import type { ScrapingPrometheus } from './scraped-names.ts';

const recorded = (
  JSON.parse(readFileSync(new URL('recorded-metrics.json', import.meta.url), 'utf8')) as { names: string[] }[]
).flatMap(({ names }) => names);

/** Identifiers of Grafana's units. */
const UNITS = ['short', 'percentunit', 'bytes', 'Bps', 'celsius', 'hertz', 's', 'ops', 'reqps'];

describe('what is read of a query', () => {
  it.each([
    ['sum by (le, state) (rate(a_total{x="b_total"}[5m])) / on (c) d', ['a_total', 'd']],
    ['count(up{job="$job"} == 0) or topk(3, e)', ['up', 'e']],
    ['floor(f / 65536) % 2 and g:h', ['f', 'g:h']],
  ])('%s', (query, names) => {
    expect(metricNames(query)).toEqual(names);
  });
});

describe.each(dashboards)('the dashboard %s', (name, dashboard) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  it('is named, and found by its tag', () => {
    expect(dashboard).toMatchObject({ uid: `bramble-${name}`, tags: ['bramble'] });
    expect(dashboard.title).toMatch(/^Bramble: /);
    expect(dashboard.description).not.toBe('');
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
  });

  it('takes its data from the source that is chosen above', () => {
    expect(dashboard.templating.list[0]).toMatchObject({
      name: 'datasource',
      type: 'datasource',
      query: 'prometheus',
    });
    const sources = panels.flatMap(({ datasource, targets = [] }) => [
      datasource,
      ...targets.map((one) => one.datasource),
    ]);
    for (const source of sources) expect(source).toEqual({ type: 'prometheus', uid: '${datasource}' });
  });

  it('uses no variable that it does not have', () => {
    const own = dashboard.templating.list.map((variable) => variable.name);
    const used = expressions(dashboard).flatMap((query) => query.match(/\$\w+/g) ?? []);
    for (const variable of used) expect(['__rate_interval', ...own]).toContain(variable.slice(1));
  });

  it('has panels with a title, a unit and an identifier of their own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { title, targets, fieldConfig } of panels) {
      expect(title).not.toBe('');
      expect(targets?.length, title).toBeGreaterThan(0);
      expect(UNITS, title).toContain(fieldConfig?.defaults.unit);
    }
  });

  it('has thresholds that rise, on whatever is one number', () => {
    for (const { title, type, fieldConfig } of panels) {
      const steps = fieldConfig?.defaults.thresholds?.steps ?? [];
      if (type === 'stat') expect(steps, title).not.toEqual([]);
      const values = steps.map(({ value }) => value ?? -Infinity);
      expect(values, title).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  it('has no panel on another', () => {
    for (const [index, panel] of dashboard.panels.entries()) {
      expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24);
      for (const other of dashboard.panels.slice(index + 1))
        expect(overlap(panel, other), `${panel.title} and ${other.title}`).toBe(false);
    }
  });
});

describe('a real Prometheus', () => {
  let directory: string;
  let prometheus: ScrapingPrometheus;

  beforeAll(async () => {
    await ensureDebianPackages('prometheus', console.log);
    directory = mkdtempSync('/var/tmp/bramble-prometheus-');
    prometheus = await startPrometheus(directory);
  });

  afterAll(async () => {
    await prometheus.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(dashboards)('understands every query of %s', async (_, dashboard) => {
    for (const query of expressions(dashboard))
      expect((await prometheus.query(filledIn(query))).error, query).toBeUndefined();
  });

  it('has every metric that is asked for, or it is on record', async () => {
    const known = new Set([...(await prometheus.names()), ...recorded]);
    const asked = dashboards.flatMap(([, dashboard]) => expressions(dashboard).flatMap(metricNames));
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });

  it('has an answer for every panel about Slurm and Bramble', async () => {
    const [, slurm] = dashboards.find(([name]) => name === 'slurm') ?? [];
    for (const { title, targets = [] } of slurm?.panels ?? [])
      for (const { expr } of targets)
        expect((await prometheus.query(filledIn(expr))).series, `${title}: ${expr}`).toBeGreaterThan(0);
  });
});

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
