import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import { shellQuote } from './shell-quote.ts';

const ASCII = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1));

const NASTY = [
  '',
  ' ',
  "'",
  "''",
  "'''",
  "\\'",
  "'\\''",
  '\\',
  '\\\\',
  '\\n',
  '$HOME',
  '$(id)',
  '`id`',
  '${IFS}',
  '!!',
  '!$',
  '*',
  '~',
  '{a,b}',
  'a;b',
  'a&&b',
  'a|b',
  '>x',
  '<x',
  '#x',
  '-n',
  '--',
  'if',
  'A=b',
  "$'\\x41'",
  '$"x"',
  '\n',
  '\n\n',
  'a\n',
  '\r\n',
  '\t',
  '\x1b[31m',
  'ä ß € 日本 🍓',
  '\u2028',
  '\u00a0',
  'a\'b"c`d$e\\f\ng',
  'x'.repeat(100_000),
];

/** What the shell makes of the words, each ended by NUL. */
const readBack = (shell: string, words: readonly string[]): string[] =>
  execFileSync(shell, ['-c', `printf '%s\\0' ${words.map(shellQuote).join(' ')}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

describe.each(['/bin/bash', '/bin/sh'])('shellQuote, read by %s', (shell) => {
  it('keeps every character of ASCII, alone and between others', () => {
    expect(readBack(shell, ASCII)).toEqual(ASCII);
    const between = ASCII.map((character) => `a${character}b${character}`);
    expect(readBack(shell, between)).toEqual(between);
  });

  it('keeps every pair of characters that mean something to a shell', () => {
    const special = Array.from('\'"\\$`!*?[]{}()<>|&;~#=%^ \t\n-');
    const pairs = special.flatMap((first) => special.map((second) => first + second));
    expect(readBack(shell, pairs)).toEqual(pairs);
  });

  it('keeps what is known to be nasty', () => {
    for (const word of NASTY) expect(readBack(shell, [word])).toEqual([word]);
  });

  it('keeps hundreds of random texts', () => {
    const random = new SeededRandom(3);
    const alphabet = [...ASCII, ...Array.from('äß€日本🍓'), "'", "'", '\\', '$', '`', '\n'];
    const words = Array.from({ length: 500 }, () =>
      Array.from({ length: random.between(0, 20) }, () => random.pick(alphabet)).join(''),
    );
    expect(readBack(shell, words)).toEqual(words);
  });
});

describe('shellQuote', () => {
  it('refuses NUL, which no argument can hold', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });
});
