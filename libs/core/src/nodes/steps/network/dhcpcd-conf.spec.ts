import { describe, expect, it } from 'vitest';
import { dhcpcdBlock, dhcpcdConf } from './dhcpcd-conf.ts';

const SETTINGS = { address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', nameServers: ['10.0.0.1'] };

/** As Raspberry Pi OS 11 ships it, shortened. */
const FRESH = `hostname
clientid
persistent
option rapid_commit
option domain_name_servers, domain_name, domain_search, host_name
slaac private

# Example static IP configuration:
#interface eth0
#static ip_address=192.168.0.10/24
`;

describe('the file of dhcpcd', () => {
  it('gets a block', () => {
    const text = dhcpcdConf(FRESH, 'eth0', SETTINGS);
    expect(text).toBe(`${FRESH}
interface eth0
static ip_address=10.0.0.5/24
static routers=10.0.0.1
static domain_name_servers=10.0.0.1
`);
    expect(dhcpcdConf(text, 'eth0', SETTINGS)).toBe(text);
  });

  it('gets it in place of what an interface has, and leaves others', () => {
    const before = `${FRESH}
interface eth0
  static ip_address=192.168.1.4/24
  static routers=192.168.1.1
  metric 100
interface wlan0
  static ip_address=192.168.1.5/24
interface eth0
fallback static_eth0
`;
    const text = dhcpcdConf(before, 'eth0', { ...SETTINGS, gateway: null, nameServers: [] });
    expect(text).toBe(`${FRESH}
interface eth0
static ip_address=10.0.0.5/24
  metric 100
interface wlan0
  static ip_address=192.168.1.5/24
`);
    expect(dhcpcdBlock(text, 'wlan0')).toContain('192.168.1.5/24');
  });
});
