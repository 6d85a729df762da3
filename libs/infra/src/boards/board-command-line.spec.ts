import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { boardCommandLine } from './board-command-line.ts';

const sh = (line: string, input = '') => spawnSync('sh', ['-c', line], { input, encoding: 'utf8' });
const PLAIN = { timeoutMs: 30_000, inputBytes: null, sudo: null } as const;
const ENVIRONMENT = `'env' 'LC_ALL=C' 'LANG=C' 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'`;
const STARTED = `'sh' '-c' 'echo "$1" >&2; shift; exec "$@"' 'sh' 'started'`;

describe('boardCommandLine', () => {
  it('says the language, where programs are, and how long', () => {
    expect(boardCommandLine({ ...PLAIN, argv: ['cat', '/etc/os-release'], timeoutMs: 1_500 })).toBe(
      `exec ${ENVIRONMENT} 'timeout' '-k' '2' '1.500' 'cat' '/etc/os-release'`,
    );
  });

  it.each([
    [null, `'sudo' '-n' '--'`],
    ['asks', `'sudo' '-k' '-S' '-p' 'asks' '--'`],
  ])('becomes root by sudo, and has root end it', (asks, sudo) => {
    expect(boardCommandLine({ ...PLAIN, argv: ['id'], sudo: { asks, started: 'started' } })).toBe(
      `exec ${ENVIRONMENT} ${sudo} ${STARTED} ${ENVIRONMENT} 'timeout' '-k' '2' '30.000' 'id'`,
    );
  });

  it('lets every argument reach the program as it is', () => {
    const nasty = [
      '',
      ' ',
      '*',
      '$HOME',
      '$(id)',
      '`id`',
      '"',
      "'",
      '\\',
      'a\nb',
      '--',
      '-x',
      'A=b',
      '; exit 3',
    ];
    const argv = ['printf', '%s\\0', ...nasty] as const;
    expect(sh(boardCommandLine({ ...PLAIN, argv })).stdout).toBe([...nasty, ''].join('\0'));
    expect(() => boardCommandLine({ ...PLAIN, argv: ['a\0b'] })).toThrow(RangeError);
  });

  it('starts nothing with half of the input', () => {
    const line = boardCommandLine({ ...PLAIN, argv: ['cat'], inputBytes: 5 });
    expect(sh(line, 'whole')).toMatchObject({ status: 0, stdout: 'whole' });
    expect(sh(line, 'hal')).toMatchObject({ status: 125, stdout: '' });
  });

  it('never takes a time of nothing for eternity', () => {
    expect(sh(boardCommandLine({ ...PLAIN, argv: ['sleep', '60'], timeoutMs: 0 })).status).toBe(124);
  });
});
