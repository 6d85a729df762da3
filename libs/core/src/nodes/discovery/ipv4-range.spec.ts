import { describe, expect, it } from 'vitest';
import { Problem } from '../../vocabulary/problem.ts';
import { formatRange, hostsOf, parseRange } from './ipv4-range.ts';
import { allowedRange } from './manage-discoveries.ts';
import { describeMachines } from './run-discovery.ts';
import { vendorOf } from './vendor.ts';

const hosts = (text: string): string[] => {
  const range = parseRange(text);
  return range === undefined ? [] : hostsOf(range);
};
const fault = (text: string, subnet: string): string => {
  try {
    return allowedRange(text, subnet);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.faults).toHaveLength(1);
    return `${error.faults[0]?.field} ${error.faults[0]?.message}`;
  }
};

describe('a range of addresses', () => {
  it('has the addresses of machines', () => {
    expect(hosts('10.0.0.0/30')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(hosts('192.168.255.4/31')).toEqual(['192.168.255.4', '192.168.255.5']);
    expect(hosts('10.0.0.7/32')).toEqual(['10.0.0.7']);
    expect(hosts('10.0.0.0/22')).toHaveLength(1022);
    expect(hosts('10.0.3.200/23').slice(-2)).toEqual(['10.0.3.253', '10.0.3.254']);
  });

  it.each([
    ['10.0.0.77/24', '10.0.0.0/24'],
    ['255.255.255.255/1', '128.0.0.0/1'],
  ])('%s is written %s', (text, written) => {
    const range = parseRange(text);
    expect(range === undefined ? undefined : formatRange(range)).toBe(written);
  });

  it.each(['', '10.0.0.0', '10.0.0/24', '10.0.0.256/24', '10.0.0.0/33', '10.0.0.0/24;id', '::/64'])(
    'is not %j',
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );

  it.each([
    ['10.0.0.0/24', '10.0.0.0/24', '10.0.0.0/24'],
    ['10.0.0.9/28', '10.0.0.0/24', '10.0.0.0/28'],
    ['10.0.4.0/22', '10.0.0.0/8', '10.0.4.0/22'],
    ['10.0.0.0/21', '10.0.0.0/8', 'range must be /22 or smaller: name a part of 10.0.0.0/8'],
    [
      '10.0.1.0/24',
      '10.0.0.0/24',
      'range must be in the subnet of the boards, 10.0.0.0/24 (BRAMBLE_BOARD_SUBNET)',
    ],
    [
      '10.0.0.0/23',
      '10.0.0.0/24',
      'range must be in the subnet of the boards, 10.0.0.0/24 (BRAMBLE_BOARD_SUBNET)',
    ],
    [
      '138.0.0.0/24',
      '10.0.0.0/8',
      'range must be in the subnet of the boards, 10.0.0.0/8 (BRAMBLE_BOARD_SUBNET)',
    ],
  ])('%s of the subnet %s is answered by %s', (text, subnet, expected) => {
    expect(fault(text, subnet)).toBe(expected);
  });
});

describe('a machine that was found', () => {
  it('is a Raspberry Pi by its MAC address', () => {
    expect(vendorOf('DC:A6:32:01:02:03')).toBe('Raspberry Pi');
    expect(vendorOf('00:11:22:33:44:55')).toBeNull();
    expect(vendorOf('')).toBeNull();
  });

  it('is the board with its address, or else the one with its host key', () => {
    const boards = [
      { name: 'node01', address: '10.0.0.2', hostKeySha256: 'SHA256:one' },
      { name: 'node02', address: '10.0.0.3', hostKeySha256: 'SHA256:two' },
      { name: 'node03', address: '10.0.0.4', hostKeySha256: null },
    ];
    const seen = [
      { address: '10.0.0.2', mac: 'b8:27:eb:00:00:01', sshBanner: null, hostKeySha256: 'SHA256:two' },
      { address: '10.0.0.77', mac: null, sshBanner: null, hostKeySha256: 'SHA256:two' },
      { address: '10.0.0.78', mac: '00:11:22:00:00:01', sshBanner: null, hostKeySha256: null },
    ];
    expect(describeMachines(seen, boards).map(({ vendor, enrolledAs }) => [vendor, enrolledAs])).toEqual([
      ['Raspberry Pi', 'node01'],
      [null, 'node02'],
      [null, null],
    ]);
  });
});
