import { describe, expect, it } from 'vitest';
import type { BoardNetwork } from '../../board.ts';
import { planNetwork } from './plan-network.ts';
import { parseNetwork } from './seen-network.ts';

const NETWORK: BoardNetwork = {
  ...{ address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', nameServers: [] },
};

const LEASED = `@addresses
 2: eth0    inet 10.0.0.77/24 brd 10.0.0.255 scope global dynamic noprefixroute eth0\\       valid_lft 43180sec preferred_lft 43180sec

@interface
 eth0

@kind
 ethernets

@routes
 default via 10.0.0.1 proto dhcp src 10.0.0.77 metric 100

@resolver
 plain

@file /etc/resolv.conf
 nameserver 10.0.0.1

@name-servers
 nameserver 127.0.0.53
 nameserver 10.0.0.1

`;
const IFUPDOWN = `@file /etc/network/interfaces
 source /etc/network/interfaces.d/*
 
 auto lo
 iface lo inet loopback

@file /etc/network/interfaces.d/lan
 allow-hotplug eth0
 iface eth0 inet dhcp
     wpa-psk -

`;
const DHCPCD = '@dhcpcd\n yes\n\n@file /etc/dhcpcd.conf\n persistent\n\n';
const networkManager = (state: string, profile: string) =>
  `@nm-state\n ${state}\n\n@nm-uuid\n eca49072-b9aa-3b40-a907-e7ed88a8d1a1\n\n@nm-profile\n ${profile}\n\n`;
const networkd = (state: string, file: string) =>
  `@networkd-state\n   2 eth0 ether routable ${state}\n\n@networkd-file\n ${file}\n\n`;
const MADE_UP = '/run/NetworkManager/system-connections/Wired connection 1.nmconnection';

const planned = (seen: string, network = NETWORK) => planNetwork(parseNetwork(LEASED + seen), network);
const ruler = (seen: string) => {
  const { manager, files } = planned(seen);
  return [manager, ...files.map(({ path }) => path)];
};

describe('what a board tells of its network', () => {
  it('is read', () => {
    const seen = parseNetwork(`${LEASED}@taken\n is at dc:a6:32:00:00:01\n\n@armed\n yes\n\n`);
    expect(seen).toMatchObject({
      addresses: [{ interface: 'eth0', address: '10.0.0.77', prefixLength: 24, leased: true }],
      ...{ interface: 'eth0', gateways: ['10.0.0.1'], nameServers: ['10.0.0.1'], isResolverPlain: true },
      ...{ taken: 'is at dc:a6:32:00:00:01', isArmed: true, isDone: false, hasCloudInit: false },
    });
    expect(parseNetwork(LEASED)).toMatchObject({ taken: undefined, isArmed: false });
  });
});

describe('what rules an interface', () => {
  it('is what says that it manages it', () => {
    expect(ruler(IFUPDOWN + DHCPCD)).toEqual([
      'ifupdown',
      '/etc/network/interfaces.d/lan',
      '/etc/resolv.conf',
    ]);
    expect(ruler(DHCPCD)).toEqual(['dhcpcd', '/etc/dhcpcd.conf']);
    expect(ruler(IFUPDOWN + networkd('configured', '/etc/systemd/network/20-wired.network'))).toEqual([
      'systemd-networkd',
      '/etc/systemd/network/00-bramble-eth0.network',
      '/etc/resolv.conf',
    ]);
    expect(ruler(IFUPDOWN + networkManager('100 (connected)', MADE_UP))).toEqual([
      'NetworkManager',
      '/etc/NetworkManager/system-connections/bramble-eth0.nmconnection',
    ]);
  });

  it('is not what leaves it to others', () => {
    const idle = networkManager('10 (unmanaged)', '') + networkd('unmanaged', 'n/a');
    expect(ruler(idle + IFUPDOWN)[0]).toBe('ifupdown');
    expect(ruler(networkManager('100 (connected (externally))', MADE_UP) + DHCPCD)[0]).toBe('dhcpcd');
    expect(ruler(IFUPDOWN.replace('eth0 inet dhcp', 'eth0 inet manual') + DHCPCD)[0]).toBe('dhcpcd');
  });

  it('is netplan, where that has made the files, and cloud-init, where there is one', () => {
    const file = '/run/NetworkManager/system-connections/netplan-eth0.nmconnection';
    const netplan = '@netplan-id\n eth0\n\n@netplan-addresses\n null\n null\n\n@cloud-init\n yes\n\n';
    expect(ruler(networkManager('100 (connected)', file) + netplan)).toEqual([
      'netplan-NetworkManager',
      '/etc/netplan/99-bramble.yaml',
      '/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg',
    ]);
    const other = netplan.replace(' null\n null', ' - 192.168.1.4/24\n null');
    expect(() => ruler(networkManager('100 (connected)', file) + other)).toThrow(
      '/etc/netplan says a static address or gateway for "eth0" already: 192.168.1.4.',
    );
  });

  it('is told when it is not known', () => {
    expect(() => planned('')).toThrow('Nothing that Bramble knows rules eth0');
    expect(() => planNetwork(parseNetwork('@addresses\n\n'), NETWORK)).toThrow(
      'No interface of the board has the address',
    );
  });

  it('is waited for where a change is under way, which takes the address away for a moment', () => {
    const underWay = () => planNetwork(parseNetwork('@armed\n yes\n\n@addresses\n\n'), NETWORK);
    expect(underWay).toThrow(expect.objectContaining({ passing: true }) as Error);
    expect(underWay).toThrow('A change of its network, or the undo of one, is under way');
  });
});

describe('the files of a plan', () => {
  it('keep the name servers that are in use, where there are to be no others', () => {
    const lines = (network: BoardNetwork) =>
      planned(IFUPDOWN, network).files.map(({ render }) =>
        render('iface eth0 inet dhcp\nnameserver 9.9.9.9\n'),
      );
    expect(lines(NETWORK)[0]).toContain('dns-nameservers 10.0.0.1\n');
    expect(lines({ ...NETWORK, nameServers: ['10.0.0.2'] })).toEqual([
      expect.stringContaining('dns-nameservers 10.0.0.2\n'),
      'iface eth0 inet dhcp\nnameserver 10.0.0.2\n',
    ]);
  });
});
