import { z } from 'zod';
import { Problem } from '../../vocabulary/problem.ts';
import { hideSecrets } from '../hide-secrets.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry, ChartReference, ServicePart } from './catalog-entry.ts';
import type { ServiceSite } from './service-site.ts';

const chartSchema = z
  .object({
    release: z.string().describe('Name of the release, and of the part in `values`.'),
    kind: z
      .enum(['repository', 'oci', 'own'])
      .describe('From a chart repository, from a registry, or with Bramble.'),
    url: z.string().nullable().describe('Of the repository or in the registry; null for one of ours.'),
    name: z.string(),
    version: z.string().nullable().describe('null for one of ours: it is that of Bramble.'),
    digest: z.string().nullable().describe('`sha256:…` that it is checked against.'),
  })
  .meta({ id: 'CatalogChart' });

export const catalogEntrySchema = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()).describe('Names that it is found by as well.'),
    title: z.string(),
    description: z.string(),
    namespace: z.string(),
    dependsOn: z.array(z.string()).describe('Entries that have to be installed before.'),
    constraints: z
      .object({
        architectures: z.array(z.string()).nullable().describe('null: every one.'),
        largestPageSize: z.int().nullable().describe('Bytes; the kernel of a Raspberry Pi 5 has 16384.'),
        memoryMebibytes: z.int().nullable().describe('What one node must have.'),
        kubernetes: z.string().nullable().describe('The oldest release.'),
        kernelModules: z.array(z.string()),
        kinds: z.array(z.string()).describe('`apiVersion/kind` of what something else must have brought.'),
      })
      .describe('What it asks of the cluster; settings may ask for more.'),
    charts: z
      .array(chartSchema)
      .nullable()
      .describe('With the default settings; null where some setting has no default.'),
    settingsSchema: z
      .record(z.string(), z.unknown())
      .describe('JSON Schema of the settings; secrets are `writeOnly`.'),
    defaults: z.record(z.string(), z.unknown()).describe('What settings are that are left out.'),
    installed: z.boolean(),
  })
  .meta({ id: 'CatalogEntry' });
export type CatalogEntryResource = z.output<typeof catalogEntrySchema>;

export function toCatalogEntry(
  entry: CatalogEntry,
  { catalog, site, installed }: { catalog: Catalog; site: ServiceSite; installed: boolean },
): CatalogEntryResource {
  const { name, aliases, title, description, namespace, dependsOn, constraints } = entry;
  const settingsSchema = catalog.settingsSchema(entry, site);
  return {
    ...{ name, aliases: [...aliases], title, description, namespace, dependsOn: [...dependsOn] },
    constraints: {
      architectures: constraints.architectures === undefined ? null : [...constraints.architectures],
      largestPageSize: constraints.largestPageSize ?? null,
      memoryMebibytes: constraints.memoryMebibytes ?? null,
      kubernetes: constraints.kubernetes ?? null,
      kernelModules: [...(constraints.kernelModules ?? [])],
      kinds: [...(constraints.kinds ?? [])],
    },
    charts: defaultParts(entry, catalog, site)?.map(toChart) ?? null,
    settingsSchema,
    defaults: hideSecrets(defaultsOf(settingsSchema), entry.secretSettings),
    installed,
  };
}

function defaultsOf(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, { default?: unknown }>);
  return Object.fromEntries(
    properties.flatMap(([name, property]) => ('default' in property ? [[name, property.default]] : [])),
  );
}

function defaultParts(
  entry: CatalogEntry,
  catalog: Catalog,
  site: ServiceSite,
): readonly ServicePart[] | undefined {
  try {
    return catalog.valuesOf(entry, {}, {}, site);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function toChart({ release, chart }: ServicePart): z.output<typeof chartSchema> {
  return { release, kind: chart.kind, ...placeOf(chart) };
}

function placeOf(chart: ChartReference): Omit<z.output<typeof chartSchema>, 'release' | 'kind'> {
  switch (chart.kind) {
    case 'repository':
      return { url: chart.url, name: chart.name, version: chart.version, digest: chart.digest };
    case 'oci': {
      const name = chart.url.slice(chart.url.lastIndexOf('/') + 1);
      return { url: chart.url, name, version: chart.version, digest: chart.digest };
    }
    case 'own':
      return { url: null, name: chart.name, version: null, digest: null };
  }
}
