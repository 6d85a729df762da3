import { z } from 'zod';
import { ipv4Number } from '../../nodes/steps/network/ipv4.ts';
import { addressFault } from './address-plan.ts';
import type { ServiceSite } from './service-site.ts';

/** Addresses from one to another, both included. */
interface AddressRange {
  first: string;
  last: string;
}

const RANGE = /^(\d{1,3}(?:\.\d{1,3}){3})-(\d{1,3}(?:\.\d{1,3}){3})$/;
const isAddress = (text: string): boolean => z.ipv4().safeParse(text).success;

/** `10.0.0.10-10.0.0.19` of the subnet, without an address that a machine has. */
export const rangeSetting = (site: ServiceSite) =>
  z.string().superRefine((text, context) => {
    const fault = rangeFault(text, site);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

export function rangeFault(text: string, site: ServiceSite): string | undefined {
  const range = parseAddressRange(text);
  if (range === undefined) return 'must be a first and a last address, such as "10.0.0.10-10.0.0.19"';
  if (ipv4Number(range.first) > ipv4Number(range.last))
    return `must begin with the lower address: ${range.last}-${range.first}`;
  const outside = addressFault(range.first, site.subnet) ?? addressFault(range.last, site.subnet);
  if (outside !== undefined) return outside;
  const machine = machinesOf(site).find(({ address }) => isWithin(address, range));
  return machine === undefined
    ? undefined
    : `must not contain ${machine.address}, which ${machine.name} has: split the range around it`;
}

/** Whether an address is in one of the ranges. */
export const isInRanges = (address: string, ranges: readonly string[]): boolean =>
  ranges.some((text) => {
    const range = parseAddressRange(text);
    return range !== undefined && isWithin(address, range);
  });

/** Whether two ranges have an address in common. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [parseAddressRange(one), parseAddressRange(other)];
  return a !== undefined && b !== undefined && (isWithin(a.first, b) || isWithin(b.first, a));
}

function parseAddressRange(text: string): AddressRange | undefined {
  const [, first = '', last = ''] = RANGE.exec(text) ?? [];
  return isAddress(first) && isAddress(last) ? { first, last } : undefined;
}

const isWithin = (address: string, { first, last }: AddressRange): boolean =>
  ipv4Number(first) <= ipv4Number(address) && ipv4Number(address) <= ipv4Number(last);

function machinesOf(site: ServiceSite): { name: string; address: string }[] {
  const { storage } = site;
  const server =
    storage !== null && isAddress(storage.server)
      ? [{ name: 'the storage server', address: storage.server }]
      : [];
  return [...site.boards, ...server].filter(({ address }) => isAddress(address));
}
