import { cidrOf, type NetworkSettings } from './settings.ts';

/** Where a stanza ends, by interfaces(5). */
const NEXT = /^\s*(iface|auto|allow-\S+|mapping|rename|template|source|source-directory|no-\S+)\s/;
/** Options that say an address, and those of DHCP; others, such as `wpa-ssid` or `mtu`, stay. */
const ADDRESSING = new Set([
  ...['address', 'netmask', 'broadcast', 'network', 'gateway', 'pointopoint', 'scope'],
  ...['dns-nameserver', 'dns-nameservers', 'hostname', 'leasehours', 'leasetime', 'vendor', 'client'],
]);

interface Stanza {
  method: string;
  first: number;
  /** The last line that is not empty. */
  last: number;
}

/** The IPv4 methods that a file of ifupdown has for an interface, such as `dhcp`. */
export const inetMethods = (text: string, name: string): string[] =>
  stanzasOf(text.split('\n'), name).map(({ method }) => method);

/** The lines of an interface's first IPv4 stanza; empty where there is none. */
export function inetStanza(text: string, name: string): string {
  const lines = text.split('\n');
  const [stanza] = stanzasOf(lines, name);
  return stanza === undefined ? '' : lines.slice(stanza.first, stanza.last + 1).join('\n');
}

/**
 * A file of ifupdown with these settings in place of the interface's IPv4 stanzas.
 * @param settings undefined takes the stanzas out
 */
export function interfacesFile(text: string, name: string, settings: NetworkSettings | undefined): string {
  const lines = text.split('\n');
  for (const [index, { first, last }] of [...stanzasOf(lines, name).entries()].reverse()) {
    const kept = lines
      .slice(first + 1, last + 1)
      .filter((line) => !ADDRESSING.has(line.trim().split(/\s/)[0] ?? ''));
    const stanza = settings === undefined || index > 0 ? [] : [...stanzaOf(name, settings), ...kept];
    lines.splice(first, last - first + 1, ...stanza);
  }
  return lines.join('\n');
}

function stanzaOf(name: string, settings: NetworkSettings): string[] {
  const { gateway, nameServers } = settings;
  return [
    `iface ${name} inet static`,
    `    address ${cidrOf(settings)}`,
    ...(gateway === null ? [] : [`    gateway ${gateway}`]),
    ...(nameServers.length === 0 ? [] : [`    dns-nameservers ${nameServers.join(' ')}`]),
  ];
}

function stanzasOf(lines: readonly string[], name: string): Stanza[] {
  return lines.flatMap((line, first): Stanza[] => {
    const [keyword, interfaceName, family, method = ''] = line.trim().split(/\s+/);
    if (keyword !== 'iface' || interfaceName !== name || family !== 'inet') return [];
    let last = first;
    for (let at = first + 1; at < lines.length && !NEXT.test(lines[at] ?? ''); at += 1)
      if (!/^\s*(#.*)?$/.test(lines[at] ?? '')) last = at;
    return [{ method, first, last }];
  });
}
