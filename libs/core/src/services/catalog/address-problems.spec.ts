import { describe, expect, it } from 'vitest';
import { LAB_SITE } from '../../../../../test/fakes/catalog-settings.ts';
import { addressProblems } from './address-problems.ts';
import { addressAt, addressFault, netmaskOf } from './address-plan.ts';
import { Catalog } from './catalog.ts';

const catalog = new Catalog();
const messages = (chosen: Record<string, object>): string[] =>
  addressProblems(
    Object.entries(chosen).map(([name, given]) => {
      const entry = catalog.get(name);
      return { entry, settings: catalog.settingsOf(entry, given, LAB_SITE) };
    }),
    LAB_SITE,
  ).map(({ message }) => message);

describe('addresses of services', () => {
  it('do not clash by default', () => {
    expect(messages(Object.fromEntries(catalog.list().map(({ name }) => [name, {}])))).toEqual([]);
  });

  it('are not for two, nor those of machines', () => {
    expect(
      messages({
        ingress: { address: '10.0.0.28' },
        ...{ dashboard: {}, dns: { address: '10.0.0.101' }, sftp: { address: '10.0.0.20' } },
      }),
    ).toEqual([
      '10.0.0.28 is that of ingress.address and dashboard.address: give one of them another address',
      '10.0.0.101 is that of dns.address and the board node01: give one of them another address',
      '10.0.0.20 is that of sftp.address and the storage server: give one of them another address',
    ]);
  });

  it('do not count where they are left out', () => {
    expect(messages({ registry: { uiAddress: null }, ingress: { address: '10.0.0.26' } })).toEqual([]);
  });

  it('are in a range of MetalLB, and DHCP gives none of them', () => {
    expect(
      messages({
        ...{ metallb: {}, ingress: { address: '10.0.0.150' } },
        netboot: { pool: { first: '10.0.0.80', last: '10.0.0.100' } },
      }),
    ).toEqual([
      '10.0.0.150 of ingress.address is in no range of MetalLB: choose another, or add it to metallb.fixedAddresses',
      "The DHCP server would give machines addresses of MetalLB's range 10.0.0.50-10.0.0.89: change netboot.pool",
    ]);
    expect(messages({ metallb: {}, netboot: { mode: 'proxy', pool: null } })).toEqual([]);
  });
});

describe('the plan of addresses', () => {
  it('counts from the first address of the subnet', () => {
    expect(addressAt('192.168.4.77/22', 300)).toBe('192.168.5.44');
    expect(netmaskOf('192.168.4.0/22')).toBe('255.255.252.0');
    expect(netmaskOf('10.0.0.0/8')).toBe('255.0.0.0');
    expect(() => addressAt('10.0.0.0', 1)).toThrow('10.0.0.0 is no subnet in CIDR notation');
  });

  it.each([
    ['10.0.0.0', 'must not be the address of the network'],
    ['10.0.0.255', 'must not be the broadcast address'],
    ['10.0.1.1', 'must be in the subnet'],
    ['9.255.255.255', 'must be in the subnet'],
  ])('%s %s', (address, message) => {
    expect(addressFault(address, '10.0.0.0/24')).toContain(message);
  });
});
