import { expect, it } from 'vitest';
import { parseSlurmLimit, parseSlurmTime } from './slurm-time.ts';

it('reads seconds since 1970', () => {
  expect(parseSlurmTime('1795365722')).toEqual(new Date('2026-11-22T16:42:02Z'));
});

it.each(['N/A', 'Unknown', 'None', 'NONE', '0', ''])('reads "%s" as no time', (text) => {
  expect(parseSlurmTime(text)).toBeNull();
});

it.each(['2026-11-22T16:42:02', 'tomorrow', '-1', '1.5'])('refuses "%s" as a time', (text) => {
  expect(() => parseSlurmTime(text)).toThrow(SyntaxError);
});

it.each([
  ['00:10:00', 600],
  ['1-00:00:00', 86_400],
  ['UNLIMITED', null],
  ['NONE', null],
])('reads the limit %s', (text, seconds) => {
  expect(parseSlurmLimit(text)).toBe(seconds);
});
