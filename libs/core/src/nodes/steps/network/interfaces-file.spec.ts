import { describe, expect, it } from 'vitest';
import { inetMethods, inetStanza, interfacesFile } from './interfaces-file.ts';

const SETTINGS = {
  address: '10.0.0.5',
  prefixLength: 24,
  gateway: '10.0.0.1',
  nameServers: ['10.0.0.1', '9.9.9.9'],
};

const FRESH = `# interfaces(5) file used by ifup(8) and ifdown(8)
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

auto eth0
iface eth0 inet dhcp

# the other one
allow-hotplug wlan0
iface wlan0 inet dhcp
    wpa-ssid home
`;

describe('a file of ifupdown', () => {
  it('gets a static stanza where DHCP was', () => {
    const text = interfacesFile(FRESH, 'eth0', SETTINGS);
    expect(text).toBe(
      FRESH.replace(
        'iface eth0 inet dhcp',
        'iface eth0 inet static\n    address 10.0.0.5/24\n    gateway 10.0.0.1\n    dns-nameservers 10.0.0.1 9.9.9.9',
      ),
    );
    expect(interfacesFile(text, 'eth0', SETTINGS)).toBe(text);
  });

  it('keeps what does not say an address', () => {
    const text = interfacesFile(FRESH, 'wlan0', { ...SETTINGS, gateway: null, nameServers: [] });
    expect(inetStanza(text, 'wlan0')).toBe(
      'iface wlan0 inet static\n    address 10.0.0.5/24\n    wpa-ssid home',
    );
  });

  it('has one IPv4 stanza for the interface, and its IPv6 one, afterwards', () => {
    const before = `iface eth0 inet static
  address 192.168.1.4
  netmask 255.255.255.0
  dns-nameservers 192.168.1.1
  mtu 9000

iface eth0 inet6 auto

iface eth0 inet static
  address 192.168.2.4/24
`;
    expect(inetMethods(before, 'eth0')).toEqual(['static', 'static']);
    expect(interfacesFile(before, 'eth0', SETTINGS)).toBe(`iface eth0 inet static
    address 10.0.0.5/24
    gateway 10.0.0.1
    dns-nameservers 10.0.0.1 9.9.9.9
  mtu 9000

iface eth0 inet6 auto

`);
    expect(inetMethods(interfacesFile(before, 'eth0', undefined), 'eth0')).toEqual([]);
  });
});
