import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EVERY_SETTING, LAB_SITE, MOVED_SITE } from '../../../../../test/fakes/catalog-settings.ts';
import { Problem } from '../../vocabulary/problem.ts';
import { FIXED_ADDRESSES } from './address-plan.ts';
import { Catalog } from './catalog.ts';
import type { CatalogEntry, ChartValues } from './catalog-entry.ts';
import { ENTRIES } from './entries.ts';

/** What counts with the other choice of a setting only. */
const BESIDES: Record<string, Record<string, unknown>> = {
  netboot: { mode: 'full' },
  logging: { engine: 'victoria' },
};

const catalog = new Catalog();
const values = (entry: CatalogEntry, settings: object, site = LAB_SITE): string =>
  JSON.stringify(catalog.valuesOf(entry, settings, {}, site));
const faults = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.code).toBe('invalid_request');
    return error.faults.map(({ field, message }) => `${field} ${message}`);
  }
  return [];
};

describe.each(ENTRIES.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
  it('is right with its defaults, and describes every setting', () => {
    const settings = catalog.settingsOf(entry, {}, LAB_SITE);
    const schema = catalog.settingsSchema(entry, LAB_SITE) as {
      properties: Record<string, { description?: string }>;
      additionalProperties: boolean;
      required?: string[];
    };
    expect(Object.keys(schema.properties)).toEqual(Object.keys(settings));
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required ?? []).toEqual([]);
    for (const [field, { description = '' }] of Object.entries(schema.properties))
      expect(description, field).toMatch(/\.$/);
  });

  it('takes what it has checked as settings again', () => {
    const settings = catalog.settingsOf(entry, EVERY_SETTING[name], LAB_SITE);
    expect(catalog.settingsOf(entry, settings, LAB_SITE)).toEqual(settings);
  });

  it('moves with the subnet', () => {
    const text = values(entry, {}, MOVED_SITE) + JSON.stringify(catalog.settingsOf(entry, {}, MOVED_SITE));
    expect(text).not.toContain('10.0.0.');
  });

  it('has a use for every setting', () => {
    const everything = EVERY_SETTING[name] ?? {};
    expect(Object.keys(everything).sort()).toEqual(
      Object.keys(catalog.settingsOf(entry, {}, LAB_SITE)).sort(),
    );
    for (const field of Object.keys(everything)) {
      const { [field]: _, ...without } = everything;
      const used = [{}, BESIDES[name] ?? {}].some(
        (besides) =>
          answer(entry, { ...everything, ...besides }) !== answer(entry, { ...without, ...besides }),
      );
      expect(used, field).toBe(true);
    }
  });

  it('lists its secrets and its addresses', () => {
    const { properties } = catalog.settingsSchema(entry, LAB_SITE) as {
      properties: Record<string, { writeOnly?: boolean }>;
    };
    const secrets = Object.keys(properties).filter((field) => properties[field]?.writeOnly === true);
    expect(entry.secretSettings).toEqual(secrets);
    const addresses = Object.keys(properties).filter((field) => /address$/i.test(field));
    expect(entry.addressSettings).toEqual(addresses);
  });

  it('runs on arm64, has releases of its own, and a chart that is pinned', () => {
    if (entry.constraints.architectures !== undefined)
      expect(entry.constraints.architectures).toContain('arm64');
    for (const settings of [{}, EVERY_SETTING[name]])
      for (const { release, chart } of catalog.valuesOf(entry, settings, {}, LAB_SITE)) {
        expect(release).toMatch(/^[a-z0-9-]{1,53}$/);
        if (chart.kind === 'own') continue;
        expect(chart.version).toMatch(/^v?\d+\.\d+\.\d+$/);
        if (chart.digest !== null) expect(chart.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      }
  });
});

/** Values, or where the settings are refused, the faults: both show that a setting counts. */
function answer(entry: CatalogEntry, settings: object): string {
  try {
    return values(entry, settings);
  } catch (error) {
    return JSON.stringify((error as Problem).faults);
  }
}

describe('the catalogue', () => {
  it.each([
    ['nginx-ingress', 'ingress'],
    ['ingress-nginx', 'ingress'],
    ['kubernetes-dashboard', 'dashboard'],
    ['certmgr', 'cert-manager'],
    ['EFK', 'logging'],
    ['chartmuseum', 'registry'],
    ['dhcpd', 'netboot'],
    [' slurmctld ', 'slurm'],
  ])('finds %s as %s', (classic, name) => {
    expect(catalog.find(classic)?.name).toBe(name);
  });

  it('says what there is where it finds nothing', () => {
    expect(catalog.find('kubernetes')).toBeUndefined();
    expect(() => catalog.get('kubernetes')).toThrow(
      'There is no service "kubernetes". There are: metallb, dns,',
    );
  });

  it('has releases of different names in one namespace', () => {
    const releases = ENTRIES.flatMap((entry) =>
      catalog
        .valuesOf(entry, EVERY_SETTING[entry.name], {}, LAB_SITE)
        .map(({ release }) => `${entry.namespace}/${release}`),
    );
    expect(new Set(releases).size).toBe(releases.length);
  });

  it('orders services by what they need, and adds what is missing', () => {
    const names = (asked: string[]) => catalog.installOrder(asked).map(({ name }) => name);
    expect(names(['slurm-metrics', 'cert-manager'])).toEqual([
      ...['cert-manager', 'metallb', 'monitoring'],
      'slurm-metrics',
    ]);
    expect(names(ENTRIES.map(({ name }) => name))).toHaveLength(ENTRIES.length);
  });

  it('refuses a circle, a name for two, and a need for what is not there', () => {
    const entry = (name: string, dependsOn: string[] = [], aliases: string[] = []): CatalogEntry => ({
      ...catalog.get('storage'),
      ...{ name, dependsOn, aliases },
    });
    const circle = new Catalog([entry('a', ['b']), entry('b', ['a'])]);
    expect(() => circle.installOrder(['a'])).toThrow('a → b → a');
    expect(() => new Catalog([entry('a'), entry('b', [], ['a'])])).toThrow('a and b are both called a');
    expect(() => new Catalog([entry('a', ['c'])])).toThrow('a depends on c, which is no entry');
  });

  it('tells every fault of the settings by its field', () => {
    const given = { fixedAddresses: ['10.0.0.19-10.0.0.10', '10.0.1.1-10.0.1.9'], freeAddresses: ['x'] };
    expect(faults(() => catalog.settingsOf(catalog.get('metallb'), given, LAB_SITE))).toEqual([
      'settings.fixedAddresses[0] must begin with the lower address: 10.0.0.10-10.0.0.19',
      'settings.fixedAddresses[1] must be in the subnet 10.0.0.0/24: choose another address, or change the subnet',
      'settings.freeAddresses[0] must be a first and a last address, such as "10.0.0.10-10.0.0.19"',
    ]);
  });

  it.each([
    ['metallb', { fixedAddresses: ['10.0.0.100-10.0.0.110'] }, 'which node01 has'],
    ['metallb', { fixedAddresses: ['10.0.0.10-10.0.0.30'] }, 'which the storage server has'],
    ['metallb', { freeAddresses: ['10.0.0.40-10.0.0.60'] }, 'must not have addresses of 10.0.0.21-10.0.0.49'],
    ['ingress', { address: '10.0.0.255' }, 'settings.address must not be the broadcast address'],
    ['ingress', { address: 'ingress.home.lab' }, 'settings.address must be an IPv4 address'],
    ['dashboard', { oidcIssuer: 'https://login.home.lab' }, 'settings.oidcClientId must be given together'],
    ['dashboard', { oidcIssuer: 'http://login.home.lab' }, 'must be a URL that begins with https://'],
    ['sftp', { web: true }, 'settings.adminPassword must be given as long as "web" is true'],
    ['registry', { htpasswd: 'ada:secret-in-plain' }, 'settings.htpasswd must be a line of `htpasswd -nbB`'],
    ['monitoring', { grafanaPassword: 'short' }, 'settings.grafanaPassword must have at least 8 characters'],
    ['monitoring', { prometheusSize: '20' }, 'settings.prometheusSize must be a size with its unit'],
    [
      'netboot',
      { boards: [{ name: 'node09', serial: 'a1b2c3d4', mac: 'dc:a6:32:01:02:03' }] },
      'settings.boards[0].address must be given: no board of this name is enrolled',
    ],
  ])('%s refuses %j', (name, settings, message) => {
    expect(faults(() => catalog.settingsOf(catalog.get(name), settings, LAB_SITE)).join()).toContain(message);
  });

  it('asks for an export where the site has no storage', () => {
    const bare = { ...LAB_SITE, storage: null };
    expect(faults(() => catalog.settingsOf(catalog.get('storage'), {}, bare))).toEqual([
      'settings.export must be given, as {"server": …, "path": …}: the site has no storage that it could be taken from',
    ]);
    const files = { server: 'nfs.home.lab', path: '/files' };
    expect(faults(() => catalog.settingsOf(catalog.get('sftp'), { files }, bare))).toEqual([]);
  });

  it('does not take a subnet that is too small for the plan', () => {
    const small = { ...LAB_SITE, subnet: '10.0.0.0/28' };
    expect(faults(() => catalog.settingsOf(catalog.get('logging'), {}, small))[0]).toContain(
      'settings.address must be in the subnet 10.0.0.0/28',
    );
  });

  it('lays values over those of the settings: maps merged, the rest replaced, null kept', () => {
    const over = {
      ingress: { deployment: { kind: 'DaemonSet' }, service: { annotations: null }, logs: [1] },
    };
    const [traefik] = catalog.valuesOf(catalog.get('ingress'), {}, over, LAB_SITE);
    expect(traefik?.values).toMatchObject({
      deployment: { replicas: 1, kind: 'DaemonSet' },
      service: { annotations: null, spec: { type: 'LoadBalancer' } },
      logs: [1],
    });
  });

  it('does not let a key of JSON become a prototype', () => {
    const over = JSON.parse('{"ingress":{"__proto__":{"polluted":true}}}') as Record<string, ChartValues>;
    const [traefik] = catalog.valuesOf(catalog.get('ingress'), {}, over, LAB_SITE);
    expect(Object.getPrototypeOf(traefik?.values)).toBe(Object.prototype);
    expect(JSON.stringify(traefik?.values)).toContain('polluted');
  });

  it('names the releases where values are for none of them', () => {
    expect(faults(() => catalog.valuesOf(catalog.get('logging'), {}, { kibana: {} }, LAB_SITE))).toEqual([
      'values.kibana is no release of logging with these settings: it has logs, logs-collector',
    ]);
  });

  it('has a JSON Schema that knows limits, choices and secrets', () => {
    const { properties } = catalog.settingsSchema(catalog.get('sftp'), LAB_SITE) as {
      properties: Record<string, object>;
    };
    expect(properties.userId).toMatchObject({ type: 'integer', minimum: 1, maximum: 65_533, default: 1000 });
    expect(properties.address).toMatchObject({ format: 'ipv4', default: '10.0.0.24' });
    expect(properties.adminPassword).toMatchObject({ writeOnly: true, default: null });
  });

  it('has an address of its own for everything in the plan', () => {
    const offsets = Object.values(FIXED_ADDRESSES);
    expect(new Set(offsets).size).toBe(offsets.length);
  });
});

describe("the lab's zone", () => {
  const contents = (settings: object, site = LAB_SITE): string => {
    const [{ values: given } = { values: {} }] = catalog.valuesOf(catalog.get('dns'), settings, {}, site);
    return z.object({ zoneFiles: z.tuple([z.object({ contents: z.string() })]) }).parse(given).zoneFiles[0]
      .contents;
  };

  it('has boards, services and what is given, which counts most', () => {
    const records = [{ name: 'registry', address: '10.0.0.99' }];
    const lines = contents({ records }).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['$ORIGIN home.lab.', 'node01 IN A 10.0.0.101', 'grafana IN A 10.0.0.31'],
        ...['registry IN A 10.0.0.99', 'storage IN A 10.0.0.20', '@ IN NS dns.home.lab.'],
      ]),
    );
    expect(lines.filter((line) => line.startsWith('registry IN'))).toHaveLength(1);
  });

  it('has another serial number for other records, and the same for the same', () => {
    const serial = (text: string) => /hostmaster\.home\.lab\. (\d+) /.exec(text)?.[1];
    expect(serial(contents({}))).toBe(serial(contents({})));
    expect(serial(contents({}))).not.toBe(serial(contents({}, { ...LAB_SITE, boards: [] })));
  });
});
