import { formatRange, parseRange } from '../../nodes/discovery/ipv4-range.ts';
import { ipv4Number } from '../../nodes/steps/network/ipv4.ts';
import type { ServiceSite } from './service-site.ts';

/**
 * What has a fixed address in the lab, and how far that is from the first address of the subnet: 10 is 10.0.0.10 in
 * 10.0.0.0/24. Every name of a service is one of DNS, too.
 */
export const FIXED_ADDRESSES = {
  registry: 10,
  dns: 21,
  sftp: 24,
  'registry-ui': 26,
  charts: 27,
  dashboard: 28,
  ingress: 30,
  grafana: 31,
  prometheus: 32,
  pushgateway: 33,
  logs: 34,
  slurm: 35,
} as const;
export type FixedAddress = keyof typeof FIXED_ADDRESSES;

/** The address that is so far from the first one of the subnet. It need not be in the subnet. */
export function addressAt(subnet: string, offset: number): string {
  const range = rangeOf(subnet);
  return formatRange({ first: range.first + offset, prefixLength: 32 }).replace('/32', '');
}

export const fixedAddress = (site: ServiceSite, name: FixedAddress): string =>
  addressAt(site.subnet, FIXED_ADDRESSES[name]);

/** What is wrong with an address for a machine or a service of the subnet, in words; undefined where nothing is. */
export function addressFault(address: string, subnet: string): string | undefined {
  const { first, size } = rangeOf(subnet);
  const place = ipv4Number(address) - first;
  if (place < 0 || place >= size)
    return `must be in the subnet ${subnet}: choose another address, or change the subnet`;
  if (place === 0) return `must not be the address of the network ${subnet}`;
  if (place === size - 1) return `must not be the broadcast address of ${subnet}`;
  return undefined;
}

/** `255.255.255.0` of `10.0.0.0/24`. */
export function netmaskOf(subnet: string): string {
  const { size } = rangeOf(subnet);
  return formatRange({ first: 2 ** 32 - size, prefixLength: 32 }).replace('/32', '');
}

/** `10.0.0.0` of `10.0.0.0/24`. */
export const networkOf = (subnet: string): string => addressAt(subnet, 0);

function rangeOf(subnet: string): { first: number; size: number } {
  const range = parseRange(subnet);
  if (range === undefined) throw new Error(`${subnet} is no subnet in CIDR notation`);
  return { first: range.first, size: 2 ** (32 - range.prefixLength) };
}
