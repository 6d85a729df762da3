import { describe, expect, it } from 'vitest';
import { keyfileWith, newKeyfile, sectionOf } from './keyfile.ts';

const SETTINGS = {
  address: '10.0.0.5',
  prefixLength: 24,
  gateway: '10.0.0.1',
  nameServers: ['10.0.0.1', '9.9.9.9'],
};

/** As Raspberry Pi Imager writes it for Raspberry Pi OS 12. */
const PRECONFIGURED = `[connection]
id=preconfigured
uuid=6cc1e7b6-1f2c-4a2a-8bb6-5f40b4f11d41
type=wifi
[wifi]
mode=infrastructure
ssid=home
hidden=false
[ipv4]
method=auto
dns-search=home.lab
[ipv6]
addr-gen-mode=default
method=auto
[proxy]
[wifi-security]
key-mgmt=wpa-psk
psk=0123456789abcdef
`;

describe("NetworkManager's profile", () => {
  it('gets a static address, and keeps its Wi-Fi', () => {
    const text = keyfileWith(PRECONFIGURED, 'wlan0', SETTINGS);
    expect(sectionOf(text, 'ipv4')).toEqual([
      'address1=10.0.0.5/24,10.0.0.1',
      'dns=10.0.0.1;9.9.9.9;',
      'dns-search=home.lab',
      'method=manual',
    ]);
    expect(sectionOf(text, 'connection')).toContain('interface-name=wlan0');
    for (const section of ['wifi', 'ipv6', 'proxy', 'wifi-security'])
      expect(sectionOf(text, section)).toEqual(sectionOf(PRECONFIGURED, section));
    expect(keyfileWith(text, 'wlan0', SETTINGS)).toBe(text);
  });

  it('connects by itself, over its own gateway or none', () => {
    const before =
      '[connection]\nid=lan\nautoconnect=false\n\n[ipv4]\naddress1=10.0.0.9/8\nmethod=manual\nnever-default=true\n';
    const text = keyfileWith(before, 'eth0', { ...SETTINGS, gateway: null, nameServers: [] });
    expect(text).toBe(
      '[connection]\nid=lan\ninterface-name=eth0\n\n[ipv4]\naddress1=10.0.0.5/24\nmethod=manual\n',
    );
  });

  it('is made where there is none', () => {
    const text = newKeyfile('eth0', SETTINGS);
    expect(sectionOf(text, 'connection')).toContain('id=bramble-eth0');
    expect(keyfileWith(text, 'eth0', SETTINGS)).toBe(text);
  });
});
