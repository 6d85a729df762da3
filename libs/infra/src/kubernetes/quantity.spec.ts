import { describe, expect, it } from 'vitest';
import { readQuantity } from './quantity.ts';

describe('a quantity of Kubernetes', () => {
  it.each([
    ['4', 4],
    ['3920m', 3.92],
    ['0.5', 0.5],
    ['8127596Ki', 8_322_658_304],
    ['8Gi', 8_589_934_592],
    ['1k', 1000],
    ['2E', 2e18],
    ['12e6', 12_000_000],
    ['-1M', -1_000_000],
  ])('%s', (text, value) => {
    expect(readQuantity(text)).toBeCloseTo(value, 9);
  });

  it.each(['', 'four', '4 Gi', '4Qi', '1.2.3', '0x10', 'constructor'])('is none: %s', (text) => {
    expect(readQuantity(text)).toBeUndefined();
  });
});
