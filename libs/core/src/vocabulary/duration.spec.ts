import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import {
  durationSchema,
  formatSlurmDuration,
  MAX_DURATION_SECONDS,
  parseDurationSeconds,
} from './duration.ts';

const random = new SeededRandom(1);

describe('parseDurationSeconds', () => {
  it.each([
    ['90s', 90],
    ['0s', 0],
    ['15m', 900],
    ['2h', 7200],
    ['3d', 259_200],
    ['1h30m', 5400],
    ['1d2h3m4s', 93_784],
    ['100h', 360_000],
    ['10:30', 630],
    ['90:00', 5400],
    ['1:2:3', 3723],
    ['01:30:00', 5400],
    ['2-12', 216_000],
    ['2-12:30', 217_800],
    ['2-12:30:15', 217_815],
    ['0-00:00:01', 1],
  ])('reads %s as %i seconds', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds);
  });

  it.each([
    '',
    ' ',
    '10',
    '0',
    '-5',
    '-1h',
    '+1h',
    '1.5h',
    '1,5h',
    '1h ',
    ' 1h',
    '1 h',
    '1H',
    '1w',
    '1ms',
    'h',
    '30m1h',
    '1h1h',
    'infinite',
    'UNLIMITED',
    ':30',
    '10:',
    '1:2:3:4',
    '1-',
    '-12:00',
    '1-2-3',
    '1-12:00:00:00',
    '1h30',
    '1:30m',
    '10:30\n',
    '1e3s',
    '٣h',
    '123456d',
    '12345:00',
    '10:123',
  ])('does not read %j', (text) => {
    expect(parseDurationSeconds(text)).toBeUndefined();
  });

  it('reads any number of days, hours, minutes and seconds, whichever of them are there', () => {
    for (let round = 0; round < 500; round += 1) {
      const parts = (['d', 'h', 'm', 's'] as const).map((unit) => ({
        unit,
        amount: random.chance(0.6) ? random.between(0, 9999) : undefined,
      }));
      const text = parts.map(({ unit, amount }) => (amount === undefined ? '' : `${amount}${unit}`)).join('');
      if (text === '') continue;
      const factors = { d: 86_400, h: 3600, m: 60, s: 1 };
      const seconds = parts.reduce((sum, { unit, amount = 0 }) => sum + amount * factors[unit], 0);
      expect(parseDurationSeconds(text), text).toBe(seconds);
    }
  });
});

describe('formatSlurmDuration', () => {
  it.each([
    [1, '0-00:00:01'],
    [60, '0-00:01:00'],
    [86_399, '0-23:59:59'],
    [86_400, '1-00:00:00'],
    [MAX_DURATION_SECONDS, '366-00:00:00'],
  ])('writes %i seconds as %s', (seconds, text) => {
    expect(formatSlurmDuration(seconds)).toBe(text);
  });

  it('writes what is read back as the same number of seconds', () => {
    for (let round = 0; round < 2000; round += 1) {
      const seconds = random.between(0, MAX_DURATION_SECONDS);
      const text = formatSlurmDuration(seconds);
      expect(text).toMatch(/^\d+-\d\d:\d\d:\d\d$/);
      expect(parseDurationSeconds(text), text).toBe(seconds);
    }
  });
});

describe('durationSchema', () => {
  it.each(['1s', '366d', '8784h', '365-23:59:59'])('takes %s', (text) => {
    expect(durationSchema.parse(text)).toBe(text);
  });

  it.each(['0s', '0-00', '0:00', '367d', '366d1s', '99999d', 'soon', `${'1'.repeat(40)}s`, 90, null, ['1h']])(
    'refuses %j',
    (value) => {
      expect(durationSchema.safeParse(value).success).toBe(false);
    },
  );
});
