import { expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

const encoder = new TextEncoder();

function split(pieces: readonly string[]): [number, string][] {
  const splitter = new LineSplitter('stdout');
  let start = 0;
  const lines = pieces.flatMap((text) => {
    const end = start + encoder.encode(text).length;
    const made = [...splitter.push({ start, end, text })];
    start = end;
    return made;
  });
  return [...lines, ...splitter.end()].map(({ offset, text }) => [offset, text]);
}

it('splits at LF alone, keeps CR and empty lines, and hands out a last line without end', () => {
  expect(split(['one\r\n\nü\nrest'])).toEqual([
    [0, 'one\r'],
    [5, ''],
    [6, 'ü'],
    [9, 'rest'],
  ]);
});

it('hands out no line behind a last LF', () => {
  expect(split(['one\n'])).toEqual([[0, 'one']]);
});

it('gives the same lines and offsets wherever the pieces end', () => {
  const text = 'é1\n\n🫐 two\r\nthree\nlast';
  const characters = Array.from(text);
  const whole = split([text]);
  for (let at = 0; at <= characters.length; at += 1) {
    expect(split([characters.slice(0, at).join(''), characters.slice(at).join('')])).toEqual(whole);
  }
  expect(split(characters)).toEqual(whole);
});

it('never tells an offset behind the true one where bytes were no UTF-8', () => {
  const bytes = Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a, 0xfe, 0xfd, 0x0a, 0x63, 0x0a, 0x64, 0x0a]);
  const text = new TextDecoder().decode(bytes);
  const lines = [...new LineSplitter('stdout').push({ start: 100, end: 100 + bytes.length, text })];
  const truth = [100, 102, 104, 106, 109, 111];
  expect(lines.map(({ text: line }) => line)).toEqual(['a', '\ufffd', 'b', '\ufffd\ufffd', 'c', 'd']);
  expect(lines.map(({ offset }) => offset)).toEqual(truth);
});

it('hands out an endless line in pieces', () => {
  const lines = split(['x'.repeat(700_000), 'x'.repeat(700_000), 'y\n']);
  expect(lines.map(([offset, text]) => [offset, text.length])).toEqual([
    [0, 1_400_000],
    [1_400_000, 1],
  ]);
});
