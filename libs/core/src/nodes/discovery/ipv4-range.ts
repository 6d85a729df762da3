/** A range of IPv4 addresses, as CIDR notation has it. */
export interface Ipv4Range {
  /** First address, as a number of 32 bits. */
  first: number;
  prefixLength: number;
}

const ADDRESSES = 2 ** 32;

/**
 * Reads `10.0.0.0/24`; bits behind the prefix are ignored.
 * @returns undefined where the text is something else
 */
export function parseRange(text: string): Ipv4Range | undefined {
  const [, address = '', length = ''] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text) ?? [];
  const prefixLength = Number(length);
  const parts = address.split('.').map(Number);
  if (length === '' || prefixLength > 32 || parts.some((part) => part > 255)) return undefined;
  const number = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { first: number - (number % sizeOf({ prefixLength })), prefixLength };
}

/** How many addresses it has. */
const sizeOf = ({ prefixLength }: Pick<Ipv4Range, 'prefixLength'>): number => ADDRESSES / 2 ** prefixLength;

export const formatRange = ({ first, prefixLength }: Ipv4Range): string =>
  `${formatAddress(first)}/${prefixLength}`;

/** Whether all of `inner` is in `outer`. */
export const contains = (outer: Ipv4Range, inner: Ipv4Range): boolean =>
  inner.prefixLength >= outer.prefixLength && inner.first - (inner.first % sizeOf(outer)) === outer.first;

/** The addresses that a machine may have: without those of the network and of its broadcast. */
export function hostsOf(range: Ipv4Range): string[] {
  const size = sizeOf(range);
  const isTiny = size <= 2;
  return Array.from({ length: isTiny ? size : size - 2 }, (_, index) =>
    formatAddress(range.first + index + (isTiny ? 0 : 1)),
  );
}

const formatAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
