import { expect, it } from 'vitest';
import { byteCount, localTime, span } from './measures.ts';

it.each([
  [0, '0s'],
  [59_400, '59s'],
  [59_600, '1m00s'],
  [3_599_000, '59m59s'],
  [7_500_000, '2h05m'],
  [277_200_000, '3d5h'],
])('%i ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [200 * 1024 ** 2, '200 MiB'],
  [5 * 1024 ** 5, '5120 TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(byteCount(bytes)).toBe(text);
});

it('shows times as the clock on the wall does', () => {
  expect(localTime(new Date(2031, 3, 5, 6, 7, 8).toISOString())).toBe('2031-04-05 06:07:08');
  expect(localTime(null)).toBeNull();
});
