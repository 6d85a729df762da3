import { z } from 'zod';
import { fieldPath } from '../../vocabulary/field-path.ts';
import { Problem } from '../../vocabulary/problem.ts';
import type { CatalogEntry, ChartValues, PartValues } from './catalog-entry.ts';
import { ENTRIES } from './entries.ts';
import { mergeValues } from './merge-values.ts';
import type { ServiceSite } from './service-site.ts';

/** Settings of a service that were checked, with all defaults. */
export type ServiceSettings = Record<string, unknown>;

/** Values of charts that were given beside the settings, by the name of the release. */
export type ValueOverrides = Readonly<Record<string, ChartValues>>;

/** The services that can be deployed. */
export class Catalog {
  readonly #entries: readonly CatalogEntry[];
  readonly #byName = new Map<string, CatalogEntry>();

  /** @throws Error where two entries have a name in common, or one depends on what is not there */
  constructor(entries: readonly CatalogEntry[] = ENTRIES) {
    this.#entries = entries;
    for (const entry of entries)
      for (const name of [entry.name, ...entry.aliases]) {
        const other = this.#byName.get(name);
        if (other !== undefined) throw new Error(`${other.name} and ${entry.name} are both called ${name}`);
        this.#byName.set(name, entry);
      }
    for (const { name, dependsOn } of entries)
      for (const needed of dependsOn)
        if (this.#byName.get(needed)?.name !== needed)
          throw new Error(`${name} depends on ${needed}, which is no entry`);
  }

  /** In the order in which a new cluster is furnished best. */
  list(): readonly CatalogEntry[] {
    return this.#entries;
  }

  /** Also by the names of the software, and of what it took the place of; capitals do not matter. */
  find(nameOrAlias: string): CatalogEntry | undefined {
    return this.#byName.get(nameOrAlias.trim().toLowerCase());
  }

  /** @throws Problem `not_found` with the names that there are */
  get(nameOrAlias: string): CatalogEntry {
    const entry = this.find(nameOrAlias);
    if (entry !== undefined) return entry;
    const names = this.#entries.map(({ name }) => name).join(', ');
    throw new Problem('not_found', `There is no service "${nameOrAlias}". There are: ${names}.`);
  }

  /**
   * Those that are named and all that they depend on, each after what it needs, and otherwise in the order of the catalogue.
   * @throws Problem `not_found`; Error where entries depend on each other in a circle
   */
  installOrder(namesOrAliases: readonly string[]): CatalogEntry[] {
    const ordered: CatalogEntry[] = [];
    const visit = (entry: CatalogEntry, above: readonly string[]): void => {
      if (above.includes(entry.name))
        throw new Error(`Entries depend on each other in a circle: ${[...above, entry.name].join(' → ')}`);
      if (ordered.includes(entry)) return;
      for (const needed of entry.dependsOn) visit(this.get(needed), [...above, entry.name]);
      ordered.push(entry);
    };
    const asked = new Set(namesOrAliases.map((name) => this.get(name)));
    for (const entry of this.#entries) if (asked.has(entry)) visit(entry, []);
    return ordered;
  }

  /**
   * Checks settings, and fills in the defaults.
   * @throws Problem `invalid_request` with a fault for each field, below `settings`
   */
  settingsOf(entry: CatalogEntry, given: unknown, site: ServiceSite): ServiceSettings {
    const result = entry.settings(site).safeParse(given ?? {});
    if (result.success) return result.data;
    throw new Problem('invalid_request', `The settings of ${entry.name} are not right.`, {
      faults: result.error.issues.map(({ path, message }) => ({
        field: fieldPath(['settings', ...path]),
        message,
      })),
    });
  }

  /**
   * The releases of a service, with all values.
   * @param settings as given, or as `settingsOf` has answered
   * @param overrides laid over what the settings make: maps are merged, lists and everything else replaced, and null leaves
   * out a default of the chart
   * @throws Problem `invalid_request`
   */
  valuesOf(
    entry: CatalogEntry,
    settings: unknown,
    overrides: ValueOverrides,
    site: ServiceSite,
  ): PartValues[] {
    const parts = entry.parts(this.settingsOf(entry, settings, site), site);
    const releases = parts.map(({ release }) => release);
    const unknown = Object.keys(overrides).filter((name) => !releases.includes(name));
    if (unknown.length > 0)
      throw new Problem('invalid_request', `The values of ${entry.name} are not right.`, {
        faults: unknown.map((name) => ({
          field: fieldPath(['values', name]),
          message: `is no release of ${entry.name} with these settings: it has ${releases.join(', ')}`,
        })),
      });
    return parts.map((part) => ({
      ...part,
      values: mergeValues(part.values, overrides[part.release] ?? {}),
    }));
  }

  /** JSON Schema of the settings as they are given; secrets are `writeOnly`. */
  settingsSchema(entry: CatalogEntry, site: ServiceSite): Record<string, unknown> {
    const { $schema: _, ...schema } = z.toJSONSchema(entry.settings(site), {
      io: 'input',
      target: 'draft-2020-12',
      unrepresentable: 'any',
    });
    return schema;
  }
}
