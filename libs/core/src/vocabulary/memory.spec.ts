import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../test/fakes/seeded-random.ts';
import { memorySchema, parseMemoryMebibytes } from './memory.ts';

const REFUSED = [
  '',
  '512',
  '0M',
  '01G',
  '-1M',
  '1.5G',
  '1g',
  '1GB',
  '1GiB',
  '1 G',
  ' 1G',
  '1G\n',
  '1E',
  'G',
  '1e3M',
  '1234567890M',
];

describe('parseMemoryMebibytes', () => {
  it.each([
    ['1K', 1],
    ['1024K', 1],
    ['1025K', 2],
    ['512M', 512],
    ['2G', 2048],
    ['1T', 1_048_576],
  ])('reads %s as %i MiB', (text, mebibytes) => {
    expect(parseMemoryMebibytes(text)).toBe(mebibytes);
  });

  it.each(REFUSED)('does not read %j', (text) => {
    expect(parseMemoryMebibytes(text)).toBeUndefined();
  });

  it('never gives less than was asked for, and less than 1 MiB more', () => {
    const random = new SeededRandom(2);
    for (let round = 0; round < 1000; round += 1) {
      const kibibytes = random.between(1, 999_999_999);
      const mebibytes = parseMemoryMebibytes(`${kibibytes}K`);
      expect(Number(mebibytes) * 1024 - kibibytes).toBeGreaterThanOrEqual(0);
      expect(Number(mebibytes) * 1024 - kibibytes).toBeLessThan(1024);
    }
  });
});

describe('memorySchema', () => {
  it.each(['1K', '999999999M'])('takes %s', (text) => {
    expect(memorySchema.parse(text)).toBe(text);
  });

  it.each([...REFUSED, 512, null])('refuses %j', (value) => {
    expect(memorySchema.safeParse(value).success).toBe(false);
  });
});
