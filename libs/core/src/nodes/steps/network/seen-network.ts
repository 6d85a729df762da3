import { ipv4In } from './ipv4.ts';

export interface SeenAddress {
  interface: string;
  address: string;
  prefixLength: number;
  /** Whether it has been leased by DHCP. */
  leased: boolean;
}

/** What a board tells of its network. */
export interface SeenNetwork {
  addresses: SeenAddress[];
  /** Of what the interface carries; undefined where no interface has an address that was asked for. */
  interface: string | undefined;
  /** netplan's word for what kind of an interface it is. */
  kind: string;
  /** Default gateways over the interface. */
  gateways: string[];
  networkManager: { uuid: string; profile: string } | undefined;
  /** The file that systemd-networkd goes by. */
  networkdFile: string | undefined;
  /** What netplan calls the interface, where it has made the files, and the addresses that it gives it. */
  netplan: { id: string; addresses: string[] } | undefined;
  hasDhcpcd: boolean;
  /** Whether `/etc/resolv.conf` is a file that nothing else writes. */
  isResolverPlain: boolean;
  nameServers: string[];
  hasCloudInit: boolean;
  /** Files by path, without their secrets. */
  files: ReadonlyMap<string, string>;
  /** Whether a change is not settled yet. */
  isArmed: boolean;
  /** Whether that change has been made. */
  isDone: boolean;
  /** How another machine shows that it has the address; undefined where none does. */
  taken: string | undefined;
}

/** @param seen what the probe of the network wrote */
export function parseNetwork(seen: string): SeenNetwork {
  const texts = sectionsOf(seen);
  const line = (name: string): string => texts.get(name)?.trim() ?? '';
  const isManaged = (name: string): boolean => line(name) !== '' && !/unmanaged|externally/.test(line(name));
  const interfaceName = line('interface');
  return {
    addresses: addressesIn(texts.get('addresses') ?? ''),
    interface: interfaceName === '' ? undefined : interfaceName,
    kind: line('kind'),
    gateways: (texts.get('routes') ?? '')
      .split('\n')
      .flatMap((route) => /\bvia (\S+)/.exec(route)?.[1] ?? []),
    networkManager: isManaged('nm-state')
      ? { uuid: line('nm-uuid'), profile: line('nm-profile') }
      : undefined,
    networkdFile:
      isManaged('networkd-state') && line('networkd-file') !== 'n/a' ? line('networkd-file') : undefined,
    netplan: texts.has('netplan-id')
      ? { id: line('netplan-id'), addresses: ipv4In(line('netplan-addresses')) }
      : undefined,
    hasDhcpcd: texts.has('dhcpcd'),
    isResolverPlain: line('resolver') === 'plain',
    nameServers: ipv4In(line('name-servers')).filter((server) => !server.startsWith('127.')),
    hasCloudInit: texts.has('cloud-init'),
    files: new Map(
      [...texts].flatMap(([name, text]) =>
        name.startsWith('file ') ? [[name.slice(5), text] as const] : [],
      ),
    ),
    isArmed: texts.has('armed'),
    isDone: texts.has('done'),
    taken: line('taken') === '' ? undefined : line('taken'),
  };
}

function sectionsOf(seen: string): Map<string, string> {
  const sections = new Map<string, string>();
  let name: string | undefined;
  for (const line of seen.split('\n')) {
    if (line.startsWith('@')) sections.set((name = line.slice(1)), '');
    else if (line.startsWith(' ') && name !== undefined)
      sections.set(name, `${sections.get(name) ?? ''}${line.slice(1)}\n`);
  }
  return sections;
}

/** Of `ip -o -4 address show`. */
function addressesIn(text: string): SeenAddress[] {
  return text.split('\n').flatMap((line) => {
    const [, name, address, prefix] = /^\d+:\s+(\S+)\s+inet ([\d.]+)(?:\/(\d+))?/.exec(line) ?? [];
    if (name === undefined || address === undefined) return [];
    const prefixLength = Number(prefix ?? 32);
    return [{ interface: name, address, prefixLength, leased: /\sdynamic\s/.test(line) }];
  });
}
