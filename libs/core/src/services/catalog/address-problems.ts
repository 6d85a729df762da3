import { isInRanges, overlap } from './address-ranges.ts';
import type { ServiceSettings } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import type { ServiceSite } from './service-site.ts';

/** A service as it is, or is to be. */
export interface ChosenService {
  entry: CatalogEntry;
  /** Checked, with all defaults. */
  settings: ServiceSettings;
}

/** An address that cannot be what it is meant for. */
export interface AddressProblem {
  address: string;
  /** Who wants it: `registry.uiAddress`, `the board node02`. */
  users: string[];
  /** What is wrong, and what helps. */
  message: string;
}

/**
 * Addresses that two services want, or that a machine has already; and, where MetalLB is among the services, those that it
 * may not give, or that a DHCP server gives as well.
 */
export function addressProblems(services: readonly ChosenService[], site: ServiceSite): AddressProblem[] {
  const wanted = services.flatMap(wantedAddresses);
  const machines = machinesOf(site);
  const byAddress = Map.groupBy([...wanted, ...machines], ({ address }) => address);
  const clashes = [...byAddress]
    .filter(([, users]) => users.length > 1 && users.some((user) => wanted.includes(user)))
    .map(([address, users]) => {
      const names = users.map(({ user }) => user);
      return {
        ...{ address, users: names },
        message: `${address} is that of ${names.join(' and ')}: give one of them another address`,
      };
    });
  return [...clashes, ...unavailable(wanted, services), ...givenTwice(services)];
}

interface Wanted {
  address: string;
  user: string;
}

const wantedAddresses = ({ entry, settings }: ChosenService): Wanted[] =>
  entry.addressSettings.flatMap((name) => {
    const address = settings[name];
    return typeof address === 'string' ? [{ address, user: `${entry.name}.${name}` }] : [];
  });

function machinesOf({ boards, storage }: ServiceSite): Wanted[] {
  const machines = boards.map(({ name, address }) => ({ address, user: `the board ${name}` }));
  // The storage server is a board as a rule.
  return storage === null || machines.some(({ address }) => address === storage.server)
    ? machines
    : [...machines, { address: storage.server, user: 'the storage server' }];
}

/** Ranges of MetalLB; undefined where it is not among the services. */
function rangesOf(services: readonly ChosenService[]): string[] | undefined {
  const metallb = services.find(({ entry }) => entry.name === 'metallb');
  return metallb === undefined
    ? undefined
    : ['fixedAddresses', 'freeAddresses'].flatMap((name) => metallb.settings[name] as string[]);
}

function unavailable(wanted: readonly Wanted[], services: readonly ChosenService[]): AddressProblem[] {
  const ranges = rangesOf(services);
  if (ranges === undefined) return [];
  return wanted
    .filter(({ address }) => !isInRanges(address, ranges))
    .map(({ address, user }) => ({
      ...{ address, users: [user] },
      message: `${address} of ${user} is in no range of MetalLB: choose another, or add it to metallb.fixedAddresses`,
    }));
}

function givenTwice(services: readonly ChosenService[]): AddressProblem[] {
  const netboot = services.find(
    ({ entry, settings }) => entry.name === 'netboot' && settings.mode === 'full',
  );
  const pool = (netboot?.settings.pool ?? null) as { first: string; last: string } | null;
  if (pool === null) return [];
  const leased = `${pool.first}-${pool.last}`;
  return (rangesOf(services) ?? [])
    .filter((range) => overlap(range, leased))
    .map((range) => ({
      ...{ address: leased, users: ['netboot.pool', 'metallb'] },
      message: `The DHCP server would give machines addresses of MetalLB's range ${range}: change netboot.pool`,
    }));
}
