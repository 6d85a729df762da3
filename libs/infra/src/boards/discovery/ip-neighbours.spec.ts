import { describe, expect, it } from 'vitest';
import { parseNeighbours } from './ip-neighbours.ts';
import { bannerIn } from './ssh-sighting.ts';

const entry = (dst: string, state: string, lladdr?: string) => ({ dst, dev: 'eth0', lladdr, state: [state] });

describe('neighbours', () => {
  it('are who is there, who is being asked for, and who was there once', () => {
    const entries = [
      entry('10.0.0.2', 'REACHABLE', 'DC:A6:32:00:00:01'),
      entry('10.0.0.3', 'STALE', 'dc:a6:32:00:00:02'),
      entry('10.0.0.4', 'PROBE', 'dc:a6:32:00:00:03'),
      entry('10.0.0.5', 'INCOMPLETE'),
      entry('10.0.0.6', 'FAILED'),
      entry('10.0.0.7', 'FAILED', 'dc:a6:32:00:00:04'),
      { dst: 7 },
    ];
    expect(parseNeighbours(JSON.stringify(entries))).toEqual([
      { address: '10.0.0.2', mac: 'dc:a6:32:00:00:01', state: 'here' },
      { address: '10.0.0.3', mac: 'dc:a6:32:00:00:02', state: 'remembered' },
      { address: '10.0.0.4', mac: 'dc:a6:32:00:00:03', state: 'asked' },
      { address: '10.0.0.5', mac: '', state: 'asked' },
    ]);
    expect(parseNeighbours('')).toEqual([]);
  });
});

describe('the banner of an SSH server', () => {
  it.each([
    ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'SSH-2.0-OpenSSH_9.2p1 Debian-2'],
    ['Welcome\r\nSSH-2.0-dropbear\r\n', 'SSH-2.0-dropbear'],
    ['SSH-2.0-Open', undefined],
    ['SSH-2.0-\u001b[31m\n', 'SSH-2.0-?[31m'],
    ['HTTP/1.1 400 Bad Request\r\n', undefined],
  ])('in %j is %j', (text, banner) => {
    expect(bannerIn(text)).toBe(banner);
  });
});
