import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CatalogEntry, ChartValues, PartValues } from '#core/services/catalog/catalog-entry';
import { Catalog } from '#core/services/catalog/catalog';
import type { GivenObject } from '#core/services/catalog/objects-part';
import { EVERY_SETTING, LAB_SITE } from '../fakes/catalog-settings.ts';
import type { KubeLab } from '../lab/kube/kube-lab.ts';
import { BUILD_TIMEOUT_MS, sharedControlPlane } from '../lab/kube/shared-control-plane.ts';
import { metricNames } from './dashboard.ts';
import { chartDirectory, lintChart, renderChart } from './render.ts';

const catalog = new Catalog();
/** Every choice of a service that changes which charts it consists of, or what they are given. */
const choices = (entry: CatalogEntry): [string, object][] => [
  ['its defaults', {}],
  ['every setting', EVERY_SETTING[entry.name] ?? {}],
];
const partsOf = (entry: CatalogEntry, settings: object): PartValues[] =>
  catalog.valuesOf(entry, settings, {}, LAB_SITE);
const allParts = catalog
  .list()
  .flatMap((entry) =>
    choices(entry).flatMap(([which, settings]) =>
      partsOf(entry, settings).map((part) => ({ entry, which, part })),
    ),
  );

describe.each(
  allParts.flatMap(({ entry, which, part }) =>
    part.chart.kind === 'own' ? [[part.release, which, entry, part, part.chart.name] as const] : [],
  ),
)('%s with %s', (release, _, { namespace }, { values }, chart) => {
  it('is taken by its chart', async () => {
    await lintChart(chart, values);
    expect(await renderChart(chart, { values, release, namespace })).not.toEqual([]);
  });
});

describe('charts of others', () => {
  const published = JSON.parse(
    readFileSync(new URL('published-values.json', import.meta.url), 'utf8'),
  ) as Record<string, { source: string; read: string; values: string[] }>;

  /** `a.b.c` of everything that is set. */
  const pathsOf = (values: ChartValues, above = ''): string[] =>
    Object.entries(values).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
        ? pathsOf(value as ChartValues, `${above}${key}.`)
        : [`${above}${key}`],
    );

  it.each(
    allParts.flatMap(({ which, part }) =>
      part.chart.kind === 'own' ? [] : [[part.release, which, part] as const],
    ),
  )('%s with %s sets what was seen in the published values of its chart', (release, _, { values }) => {
    const known = published[release]?.values ?? [];
    const strange = pathsOf(values).filter(
      (path) => !known.some((prefix) => path === prefix || path.startsWith(`${prefix}.`)),
    );
    expect(strange).toEqual([]);
  });
});

describe('the chart objects', () => {
  const render = (...objects: object[]) => renderChart('objects', { values: { objects } });

  it('gives objects back as they are: no templates, no numbers that become texts', async () => {
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'words', annotations: { on: 'yes', number: '0123', 'a/b': '{{ .Values.objects }}' } },
      data: { summary: 'The node {{ $labels.node }}\n---\n# is down', colon: 'a: b' },
    };
    const rule = {
      apiVersion: 'x.io/v1',
      kind: 'X',
      metadata: { name: 'x', namespace: 'other' },
      spec: { large: 16_777_216_000, fraction: 0.25, off: false, none: null, list: [[1], {}] },
    };
    expect(await render(config, rule)).toEqual([config, rule]);
  });

  it('is nothing without objects', async () => {
    await lintChart('objects');
    expect(await render()).toEqual([]);
  });

  it.each([
    ['no kind', { apiVersion: 'v1', metadata: { name: 'a' } }, 'kind'],
    ['no name', { apiVersion: 'v1', kind: 'Secret', metadata: {} }, 'name'],
  ])('refuses an object with %s', async (_, object, message) => {
    await expect(render(object)).rejects.toThrow(message);
  });
});

it("has alerts about metrics that Bramble's workers have", () => {
  const text = readFileSync(
    new URL('../../libs/infra/src/observability/slurm-metrics.ts', import.meta.url),
    'utf8',
  );
  const values = partsOf(catalog.get('slurm-metrics'), {}).map((part) => part.values);
  const expressions = [...JSON.stringify(values).matchAll(/"expr":("(?:[^"\\]|\\.)*")/g)].map(
    ([, quoted = '""']) => JSON.parse(quoted) as string,
  );
  expect(expressions).toHaveLength(2);
  for (const name of expressions.flatMap(metricNames))
    expect(text).toContain(`'${name.replace('bramble_slurm_', '')}'`);
});

describe('objects of services on a real control plane', () => {
  const objectParts = allParts.filter(
    ({ part: { chart } }) => chart.kind === 'own' && chart.name === 'objects',
  );
  const objectsOf = ({ values }: PartValues) => values.objects as GivenObject[];
  let cluster: KubeLab;

  beforeAll(async () => {
    cluster = await sharedControlPlane();
    const strange = objectParts
      .flatMap(({ part }) => objectsOf(part))
      .filter(
        ({ apiVersion }) =>
          apiVersion.includes('.io/') || apiVersion.includes('.com/') || apiVersion.includes('.co/'),
      );
    for (const { apiVersion, kind } of strange) await defineKind(apiVersion, kind);
    for (const { entry } of objectParts)
      await cluster.api.create('/api/v1/namespaces', {
        metadata: { name: entry.namespace, labels: entry.namespaceLabels },
      });
  }, BUILD_TIMEOUT_MS);

  /** A kind that takes everything: operators that bring the real ones are not here. */
  async function defineKind(apiVersion: string, kind: string): Promise<void> {
    const [group = '', version = ''] = apiVersion.split('/');
    const plural = `${kind.toLowerCase()}s`;
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await cluster.api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: `${plural}.${group}` },
      spec: {
        ...{ group, scope: kind === 'ClusterIssuer' ? 'Cluster' : 'Namespaced' },
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [{ name: version, served: true, storage: true, schema }],
      },
    });
  }

  it.each(objectParts.map(({ which, entry, part }) => [part.release, which, entry, part] as const))(
    '%s with %s are installed, upgraded and removed',
    async (release, _, { namespace }, { values }) => {
      const install = () =>
        cluster.helm(
          ...['upgrade', '--install', release, chartDirectory('objects'), `--namespace=${namespace}`],
          `--set-json=objects=${JSON.stringify(values.objects)}`,
        );
      for (const end of [await install(), await install()]) {
        expect(end.stderr).not.toContain('Error');
        expect(end.exitCode).toBe(0);
      }
      const { exitCode } = await cluster.helm('uninstall', release, `--namespace=${namespace}`);
      expect(exitCode).toBe(0);
    },
  );
});
