import type { BoardNetwork } from '../../board.ts';

/** An IPv4 address as a number of 32 bits. */
export const ipv4Number = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** All IPv4 addresses in a text, in their order. */
export const ipv4In = (text: string): string[] => text.match(/\b\d{1,3}(\.\d{1,3}){3}\b/g) ?? [];

/** What cannot be so in these settings, in words; undefined where they make sense. */
export function contradictionIn({ address, prefixLength, gateway }: BoardNetwork): string | undefined {
  const size = 2 ** (32 - prefixLength);
  const own = ipv4Number(address);
  const first = own - (own % size);
  const last = first + size - 1;
  const [leading = 0] = address.split('.').map(Number);
  if (leading === 0 || leading === 127 || leading >= 224)
    return `${address} is not an address that a board can have`;
  if (own === first) return `${address} is the network address of its /${prefixLength}`;
  if (own === last) return `${address} is the broadcast address of its /${prefixLength}`;
  if (gateway === null) return undefined;
  const there = ipv4Number(gateway);
  if (there === own) return `the gateway ${gateway} is the board itself`;
  if (there <= first || there >= last)
    return `the gateway ${gateway} is not a host in the subnet of ${address}/${prefixLength}`;
  return undefined;
}
