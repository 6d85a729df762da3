import { createHash } from 'node:crypto';
import { LabError } from '../lab-error.ts';
import { runOrThrow } from './command.ts';

const FIRST_TWO_NUMBERS = '10.213';

interface Route {
  dst: string;
}

/**
 * A /24 of 10.213.0.0/16 that no route of this machine knows. The first try follows from the lab's prefix, so a lab
 * as a rule keeps its subnet over `down` and `up`.
 *
 * @returns its first three numbers.
 */
export async function chooseFreeSubnet(prefix: string): Promise<string> {
  const taken = await routedRanges();
  const start = createHash('sha256').update(prefix).digest().readUInt8();
  for (let attempt = 0; attempt < 256; attempt++) {
    const subnet = `${FIRST_TWO_NUMBERS}.${(start + attempt) % 256}`;
    if (!taken.some((range) => overlap(range, rangeOf(`${subnet}.0/24`)))) return subnet;
  }
  throw new LabError(`All of ${FIRST_TWO_NUMBERS}.0.0/16 is routed somewhere on this machine; see ip route`);
}

interface AddressRange {
  first: number;
  last: number;
}

async function routedRanges(): Promise<AddressRange[]> {
  const answer = await runOrThrow(['ip', '-json', '-4', 'route', 'show', 'table', 'all']);
  const routes = JSON.parse(answer || '[]') as Route[];
  return routes.filter(({ dst }) => dst !== 'default').map(({ dst }) => rangeOf(dst));
}

function rangeOf(cidr: string): AddressRange {
  const [address = '', bits = '32'] = cidr.split('/');
  const first = address.split('.').reduce((value, number) => value * 256 + Number(number), 0);
  return { first, last: first + 2 ** (32 - Number(bits)) - 1 };
}

function overlap(one: AddressRange, other: AddressRange): boolean {
  return one.first <= other.last && other.first <= one.last;
}
