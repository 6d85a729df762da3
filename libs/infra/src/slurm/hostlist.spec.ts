import { describe, expect, it } from 'vitest';
import { expandHostlist } from './hostlist.ts';

describe('expandHostlist', () => {
  it.each([
    ['', []],
    ['(null)', []],
    ['node1', ['node1']],
    ['node[02-05,7]', ['node02', 'node03', 'node04', 'node05', 'node7']],
    ['node[9-11]', ['node9', 'node10', 'node11']],
    ['node[098-101]', ['node098', 'node099', 'node100', 'node101']],
    ['a,b[1-2],c', ['a', 'b1', 'b2', 'c']],
    ['rack[0-1]n[1-2]', ['rack0n1', 'rack0n2', 'rack1n1', 'rack1n2']],
    ['pi[1-2]-eth0', ['pi1-eth0', 'pi2-eth0']],
    ['login-1.example,node[3]', ['login-1.example', 'node3']],
  ])('reads %s', (text, hosts) => {
    expect(expandHostlist(text)).toEqual(hosts);
  });

  it.each([
    'node[1-2',
    'node1-2]',
    'node[[1]]',
    'node[2-1]',
    'node[a]',
    'node[]',
    'a,,b',
    'a b',
    ',',
    'n[0-99999]',
    'n[0-999]m[0-999]',
  ])('refuses %s', (text) => {
    expect(() => expandHostlist(text)).toThrow(SyntaxError);
  });
});
