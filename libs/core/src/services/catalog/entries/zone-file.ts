import { z } from 'zod';
import { FIXED_ADDRESSES, addressAt } from '../address-plan.ts';
import type { ServiceSite } from '../service-site.ts';

export interface ZoneRecord {
  /** Below the domain: `node01`, `*.apps`. */
  name: string;
  address: string;
}

const NAME = /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export const recordSchema = z.strictObject({
  name: z
    .string()
    .max(200)
    .regex(NAME, 'must be a name below the domain, in lower case, such as "printer" or "*.apps"')
    .describe('Below the domain.'),
  address: z.ipv4('must be an IPv4 address').describe('Address that the name has.'),
});

/** Services by the plan, then boards, then what is given: of one name, the last counts. In order of name. */
export function zoneRecords(
  site: ServiceSite,
  ownAddress: string,
  given: readonly ZoneRecord[],
): ZoneRecord[] {
  const planned = Object.entries(FIXED_ADDRESSES).map(([name, offset]) => ({
    name,
    address: addressAt(site.subnet, offset),
  }));
  const { storage } = site;
  const storageServer =
    storage !== null && z.ipv4().safeParse(storage.server).success
      ? [{ name: 'storage', address: storage.server }]
      : [];
  const boards = site.boards.map(({ name, address }) => ({ name, address }));
  const byName = new Map(
    [...planned, { name: 'dns', address: ownAddress }, ...storageServer, ...boards, ...given].map(
      (record) => [record.name, record.address],
    ),
  );
  return [...byName]
    .map(([name, address]) => ({ name, address }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** A zone as RFC 1035 has it, the same for the same records: the serial number comes from what is in it. */
export function zoneFile(
  domain: string,
  { address, ttlSeconds }: { address: string; ttlSeconds: number },
  records: readonly ZoneRecord[],
): string {
  const lines = records.map((record) => `${record.name} IN A ${record.address}`);
  const serial = fingerprint([domain, address, String(ttlSeconds), ...lines].join('\n'));
  return [
    `$ORIGIN ${domain}.`,
    `$TTL ${ttlSeconds}`,
    `@ IN SOA dns.${domain}. hostmaster.${domain}. ${serial} 3600 600 86400 ${ttlSeconds}`,
    `@ IN NS dns.${domain}.`,
    ...lines,
    '',
  ].join('\n');
}

/** FNV-1a, 32 bits. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
