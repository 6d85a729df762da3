import { describe, expect, it } from 'vitest';
import { netplanFile } from './netplan-file.ts';
import { networkdFile } from './networkd-file.ts';
import { resolvConf } from './resolv-conf.ts';

const SETTINGS = {
  address: '10.0.0.5',
  prefixLength: 24,
  gateway: '10.0.0.1',
  nameServers: ['10.0.0.1', '9.9.9.9'],
};
const BARE = { ...SETTINGS, gateway: null, nameServers: [] };

describe('a file of one interface', () => {
  it('is for systemd-networkd', () => {
    expect(networkdFile('eth0', SETTINGS)).toBe(
      '# Kept by Bramble.\n[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\nDNS=10.0.0.1\nDNS=9.9.9.9\n',
    );
    expect(networkdFile('eth0', BARE)).toContain('[Network]\nAddress=10.0.0.5/24\n');
  });

  it('is for netplan, with any name', () => {
    expect(netplanFile('ethernets', 'NM-1d2c: x', SETTINGS)).toBe(`# Kept by Bramble.
network:
  version: 2
  ethernets:
    "NM-1d2c: x":
      dhcp4: false
      addresses:
        - 10.0.0.5/24
      routes:
        - to: 0.0.0.0/0
          via: 10.0.0.1
      nameservers:
        addresses: [10.0.0.1, 9.9.9.9]
`);
    expect(netplanFile('wifis', 'wlan0', BARE)).not.toMatch(/routes|nameservers/);
  });

  it('names the name servers, and keeps the domains', () => {
    const before = '# by hand\nsearch home.lab\nnameserver 192.168.1.1\noptions timeout:1\n';
    expect(resolvConf(before, ['10.0.0.1'])).toBe(
      '# by hand\nsearch home.lab\noptions timeout:1\nnameserver 10.0.0.1\n',
    );
    expect(resolvConf('', ['10.0.0.1'])).toBe('nameserver 10.0.0.1\n');
  });
});
