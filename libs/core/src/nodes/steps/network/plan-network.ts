import type { BoardNetwork } from '../../board.ts';
import { StepProblem } from '../../board-step.ts';
import { dhcpcdBlock, dhcpcdConf } from './dhcpcd-conf.ts';
import { inetMethods, inetStanza, interfacesFile } from './interfaces-file.ts';
import { ipv4In } from './ipv4.ts';
import { keyfileWith, newKeyfile, sectionOf } from './keyfile.ts';
import { netplanFile } from './netplan-file.ts';
import {
  CLOUD_INIT_FILE,
  DHCPCD_CONF,
  NETPLAN_FILE,
  ownKeyfile,
  ownNetworkdFile,
  RESOLV_CONF,
} from './network-probe.ts';
import { networkdFile } from './networkd-file.ts';
import { resolvConf } from './resolv-conf.ts';
import type { SeenNetwork } from './seen-network.ts';
import type { NetworkSettings } from './settings.ts';

/** What may rule an interface; netplan by way of one of two others. */
export type Manager =
  | 'NetworkManager'
  | 'systemd-networkd'
  | 'netplan-NetworkManager'
  | 'netplan-networkd'
  | 'ifupdown'
  | 'dhcpcd';

export interface PlannedFile {
  path: string;
  /** Octal; of a new file. One that is there keeps its own. */
  mode: string;
  /** @param current the file's text, empty where there is none */
  render: (current: string) => string;
}

/** What is to be written for a board to have its address after every start. */
export interface NetworkPlan {
  manager: Manager;
  interface: string;
  /** NetworkManager's profiles that are to be activated after the change, and after its undo: arguments of `nmcli connection up`. */
  profile: { after: readonly [string, string]; before: readonly [string, string] } | null;
  files: readonly PlannedFile[];
}

/**
 * Finds out what rules the interface, and what that is to read. NetworkManager and systemd-networkd know whether they
 * manage it; ifupdown goes before dhcpcd, which leaves alone what has a stanza.
 * @throws StepProblem where nothing that is known rules it; passing, while a change that was begun before is under way
 */
export function planNetwork(seen: SeenNetwork, network: BoardNetwork): NetworkPlan {
  const { interface: name } = seen;
  // A connection outlives the moment in which the interface has no address at all.
  if (name === undefined && seen.isArmed)
    throw new StepProblem('A change of its network, or the undo of one, is under way on the board.', {
      passing: true,
    });
  if (name === undefined)
    throw new StepProblem(
      'No interface of the board has the address that it is reached at. Enrol it by an address of its own, not by way of ' +
        'address translation.',
    );
  const ruled =
    byNetworkManager(seen, name, network) ??
    bySystemdNetworkd(seen, name, network) ??
    byIfupdown(seen, name, network) ??
    byDhcpcd(seen, name, network);
  if (ruled === undefined)
    throw new StepProblem(
      `Nothing that Bramble knows rules ${name}: neither NetworkManager, systemd-networkd and netplan, nor ifupdown or ` +
        'dhcpcd. Set the address there by hand, and enrol the board without network settings.',
    );
  const cloudInit: PlannedFile[] = seen.hasCloudInit
    ? [{ path: CLOUD_INIT_FILE, mode: '0644', render: () => 'network: {config: disabled}\n' }]
    : [];
  return { interface: name, ...ruled, files: [...ruled.files, ...cloudInit] };
}

type Ruled = Omit<NetworkPlan, 'interface'>;

function byNetworkManager(seen: SeenNetwork, name: string, network: BoardNetwork): Ruled | undefined {
  if (seen.networkManager === undefined) return undefined;
  const { uuid, profile } = seen.networkManager;
  if (seen.netplan !== undefined) {
    const same = ['uuid', uuid] as const;
    return {
      manager: 'netplan-NetworkManager',
      profile: { after: same, before: same },
      files: [netplanPlan(seen, seen.netplan, network)],
    };
  }
  if (profile.startsWith('/etc/')) {
    const settings = settingsOf(seen, network, sectionOf(seen.files.get(profile) ?? '', 'ipv4').join('\n'));
    const same = ['uuid', uuid] as const;
    return {
      manager: 'NetworkManager',
      profile: { after: same, before: same },
      files: [{ path: profile, mode: '0600', render: (current) => keyfileWith(current, name, settings) }],
    };
  }
  if (seen.kind !== 'ethernets')
    throw new StepProblem(
      `NetworkManager rules ${name} by a profile that is not kept in /etc. Save it there, with \`nmcli connection modify\`.`,
    );
  const settings = settingsOf(seen, network, '');
  return {
    manager: 'NetworkManager',
    profile: { after: ['id', `bramble-${name}`], before: ['uuid', uuid] },
    files: [{ path: ownKeyfile(name), mode: '0600', render: () => newKeyfile(name, settings) }],
  };
}

function bySystemdNetworkd(seen: SeenNetwork, name: string, network: BoardNetwork): Ruled | undefined {
  if (seen.networkdFile === undefined) return undefined;
  if (seen.netplan !== undefined) {
    const file = netplanPlan(seen, seen.netplan, network);
    return {
      manager: 'netplan-networkd',
      profile: null,
      files: [file, ...plainResolver(seen, settingsOf(seen, network, seen.files.get(file.path) ?? ''))],
    };
  }
  const path = ownNetworkdFile(name);
  const settings = settingsOf(seen, network, seen.files.get(path) ?? '');
  return {
    manager: 'systemd-networkd',
    profile: null,
    files: [
      { path, mode: '0644', render: () => networkdFile(name, settings) },
      ...plainResolver(seen, settings),
    ],
  };
}

function netplanPlan(
  seen: SeenNetwork,
  { id, addresses }: NonNullable<SeenNetwork['netplan']>,
  network: BoardNetwork,
): PlannedFile {
  if (id === '')
    throw new StepProblem(
      `netplan rules ${seen.interface ?? ''}, under a name that was not found out. Name it in /etc/netplan as it is called.`,
    );
  const own = seen.files.get(NETPLAN_FILE) ?? '';
  const others = addresses.filter((address) => !ipv4In(own).includes(address));
  if (others.length > 0)
    throw new StepProblem(
      `/etc/netplan says a static address or gateway for "${id}" already: ${others.join(', ')}. netplan would add to it, ` +
        'not replace it: take it out there, and apply again.',
    );
  const settings = settingsOf(seen, network, own);
  return { path: NETPLAN_FILE, mode: '0600', render: () => netplanFile(seen.kind, id, settings) };
}

function byIfupdown(seen: SeenNetwork, name: string, network: BoardNetwork): Ruled | undefined {
  const having = [...seen.files].filter(
    ([path, text]) =>
      path.startsWith('/etc/network/') && inetMethods(text, name).some((method) => method !== 'manual'),
  );
  const [first] = having;
  if (first === undefined) return undefined;
  const stanza = inetStanza(first[1], name);
  const settings = settingsOf(seen, network, stanza);
  return {
    manager: 'ifupdown',
    profile: null,
    files: [
      ...having.map(([path]) => ({
        path,
        mode: '0644',
        render: (current: string) => interfacesFile(current, name, path === first[0] ? settings : undefined),
      })),
      ...plainResolver(seen, settings),
    ],
  };
}

function byDhcpcd(seen: SeenNetwork, name: string, network: BoardNetwork): Ruled | undefined {
  if (!seen.hasDhcpcd) return undefined;
  const settings = settingsOf(seen, network, dhcpcdBlock(seen.files.get(DHCPCD_CONF) ?? '', name));
  return {
    manager: 'dhcpcd',
    profile: null,
    files: [{ path: DHCPCD_CONF, mode: '0644', render: (current) => dhcpcdConf(current, name, settings) }],
  };
}

/** For managers that do not write `/etc/resolv.conf` themselves. */
function plainResolver(seen: SeenNetwork, { nameServers }: NetworkSettings): PlannedFile[] {
  if (!seen.isResolverPlain || nameServers.length === 0) return [];
  return [{ path: RESOLV_CONF, mode: '0644', render: (current) => resolvConf(current, nameServers) }];
}

/**
 * Without name servers of its own, a board keeps those that it is set to, or has been given.
 * @param current what rules the interface until now
 */
function settingsOf(seen: SeenNetwork, network: BoardNetwork, current: string): NetworkSettings {
  const { address, prefixLength, gateway } = network;
  const set = current.split('\n').filter((line) => /dns|name_?servers|^\s*addresses: \[/i.test(line));
  const known = ipv4In(set.join('\n'));
  const kept = known.length > 0 ? known : seen.nameServers;
  return {
    ...{ address, prefixLength, gateway },
    nameServers: network.nameServers.length > 0 ? network.nameServers : kept,
  };
}
