import { describe, expect, it } from 'vitest';
import { contradictionIn } from './ipv4.ts';

const told = (address: string, prefixLength: number, gateway: string | null) =>
  contradictionIn({ address, prefixLength, gateway, nameServers: [] });

describe('a static address', () => {
  it('may be any host of its subnet, with another one as gateway', () => {
    expect(told('10.0.0.5', 24, null)).toBeUndefined();
    expect(told('10.0.0.5', 24, '10.0.0.1')).toBeUndefined();
    expect(told('192.168.1.254', 23, '192.168.0.1')).toBeUndefined();
    expect(told('192.168.1.0', 23, '192.168.0.1')).toBeUndefined();
  });

  it('is no address of the subnet itself', () => {
    expect(told('10.0.0.0', 24, null)).toBe('10.0.0.0 is the network address of its /24');
    expect(told('10.0.0.3', 30, null)).toBe('10.0.0.3 is the broadcast address of its /30');
    expect(told('127.0.0.2', 8, null)).toBe('127.0.0.2 is not an address that a board can have');
    expect(told('239.1.2.3', 24, null)).toBe('239.1.2.3 is not an address that a board can have');
  });

  it('reaches its gateway', () => {
    expect(told('10.0.0.5', 24, '10.0.0.5')).toBe('the gateway 10.0.0.5 is the board itself');
    const outside = 'is not a host in the subnet of 10.0.0.5/24';
    expect(told('10.0.0.5', 24, '10.0.1.1')).toBe(`the gateway 10.0.1.1 ${outside}`);
    expect(told('10.0.0.5', 24, '10.0.0.255')).toBe(`the gateway 10.0.0.255 ${outside}`);
  });
});
