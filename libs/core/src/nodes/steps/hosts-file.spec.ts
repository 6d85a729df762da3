import { describe, expect, it } from 'vitest';
import { hostsFile } from './hosts-file.ts';

const boards = [
  { name: 'node02', address: '10.0.0.3' },
  { name: 'node01', address: '10.0.0.2' },
];
const BLOCK = [
  '# Boards of the cluster, kept by Bramble: begin',
  '10.0.0.2\tnode01.home.lab node01',
  '10.0.0.3\tnode02.home.lab node02',
  '# Boards of the cluster, kept by Bramble: end',
  '',
].join('\n');

describe('hostsFile', () => {
  it('adds the boards in order of name, and keeps what is there', () => {
    const current =
      '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost # both\n\n# mine\n192.168.1.9\tprinter\n';
    expect(hostsFile(current, boards, 'home.lab')).toBe(`${current}\n${BLOCK}`);
  });

  it('is the same the second time, and follows the boards', () => {
    const once = hostsFile('127.0.0.1\tlocalhost\n', boards, 'home.lab');
    expect(hostsFile(once, boards, 'home.lab')).toBe(once);
    expect(hostsFile(once, boards.slice(0, 1), 'home.lab')).toContain('10.0.0.3\tnode02');
    expect(hostsFile(once, boards.slice(0, 1), 'home.lab')).not.toContain('node01');
  });

  it('leaves no name of a board to the loopback', () => {
    const text = hostsFile(
      '127.0.0.1 localhost\n127.0.1.1 node02.home.lab node02\n127.0.1.1 node01 other # x\n',
      boards,
      'home.lab',
    );
    expect(text).toBe(`127.0.0.1 localhost\n127.0.1.1\tother # x\n\n${BLOCK}`);
  });

  it('begins with localhost where there is no file', () => {
    expect(hostsFile(undefined, [], 'home.lab')).toContain('127.0.0.1\tlocalhost\n');
  });

  it('does not lose a line to a block that was cut off', () => {
    const text = hostsFile(
      '# Boards of the cluster, kept by Bramble: begin\n10.9.9.9\tkeep\n',
      boards,
      'home.lab',
    );
    expect(text).toContain('10.9.9.9\tkeep');
  });
});
