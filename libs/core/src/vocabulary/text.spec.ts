import { describe, expect, it } from 'vitest';
import { hasControlCharacter, multilineText, relativePath, relativePathFault, slurmName } from './text.ts';

const C0_AND_C1 = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index)];

describe('hasControlCharacter', () => {
  it.each(C0_AND_C1)('answers for the control character %i', (code) => {
    const whiteSpace = [0x09, 0x0a, 0x0d].includes(code);
    expect(hasControlCharacter(`a${String.fromCharCode(code)}b`)).toBe(!whiteSpace);
  });

  it('lets every other character of ASCII pass, and those beyond', () => {
    const printable = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index));
    expect(hasControlCharacter(`${printable} äß€ 日本 🍓`)).toBe(false);
  });
});

describe('multilineText', () => {
  const schema = multilineText(10);

  it.each(['', 'a\nb\tc', '🍓🍓🍓🍓🍓', '$(x)`"\''])('takes %j', (text) => {
    expect(schema.parse(text)).toBe(text);
  });

  it.each(['12345678901', 'a\0b', '\x1b[31m', 'a\x7f', '\u009b', 'half \ud83c', '\udf53', 7, null])(
    'refuses %j',
    (text) => {
      expect(schema.safeParse(text).success).toBe(false);
    },
  );
});

describe('slurmName', () => {
  it.each(['a', 'pi4', 'short_jobs', 'a.b-c', '_x', 'A'.repeat(64)])('takes %s', (name) => {
    expect(slurmName.parse(name)).toBe(name);
  });

  it.each(['', '-p', '.a', 'a b', 'a\n', 'a,b', 'a;b', 'a$b', 'a"b', "a'b", 'ä', 'a\0', 'A'.repeat(65)])(
    'refuses %j',
    (name) => {
      expect(slurmName.safeParse(name).success).toBe(false);
    },
  );
});

describe('relativePath', () => {
  it.each([
    'a',
    'a/b/c',
    '.hidden',
    'a b',
    '...',
    'a..b',
    '..a',
    'x'.repeat(255),
    'ä/日本/🍓',
    "it's",
    '-rf',
    '~',
    '$HOME',
    '*',
  ])('takes %j', (path) => {
    expect(relativePathFault(path)).toBeUndefined();
    expect(relativePath.parse(path)).toBe(path);
  });

  it.each([
    ['/etc/passwd', 'relative'],
    ['/', 'relative'],
    ['//a', 'relative'],
    ['..', '".."'],
    ['.', '"."'],
    ['../a', '".."'],
    ['a/../../b', '".."'],
    ['a/..', '".."'],
    ['a/./b', '"."'],
    ['./a', '"."'],
    ['a//b', 'empty part'],
    ['a/', 'empty part'],
    ['a\\b', 'forward slashes'],
    ['..\\a', 'forward slashes'],
    ['a\0b', 'NUL'],
    ['a\nb', 'newlines'],
    ['a\rb', 'control'],
    ['a\tb', 'control'],
    ['\u0085', 'control'],
    [`a/${'x'.repeat(256)}`, '255'],
    ['a\ud800', 'Unicode'],
  ])('refuses %j, saying %s', (path, word) => {
    expect(relativePathFault(path)).toContain(word);
    expect(relativePath.safeParse(path).error?.issues[0]?.message).toContain(word);
  });

  it('refuses no path, and one that is longer than Linux takes', () => {
    expect(relativePath.safeParse('').success).toBe(false);
    expect(relativePath.safeParse('x/'.repeat(600) + 'x').success).toBe(false);
  });
});
