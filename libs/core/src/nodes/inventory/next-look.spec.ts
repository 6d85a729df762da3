import { describe, expect, it } from 'vitest';
import { nextLook } from './next-look.ts';

const NOW = new Date('2031-04-05T06:07:08.000Z');
const MINUTE = 60_000;
const after = (failures: number, intervalMs = MINUTE, id = 'brd_1', now = NOW) =>
  nextLook(id, now, intervalMs, failures).getTime() - now.getTime();

describe('the next look at a board', () => {
  it('comes within an interval, and then again and again after one', () => {
    const first = nextLook('brd_1', NOW, MINUTE, 0);
    expect(first.getTime()).toBeGreaterThan(NOW.getTime());
    expect(first.getTime() - NOW.getTime()).toBeLessThanOrEqual(MINUTE);
    expect(after(0, MINUTE, 'brd_1', first)).toBe(MINUTE);
    const late = new Date(first.getTime() + 7_000);
    expect(after(0, MINUTE, 'brd_1', late)).toBe(MINUTE - 7_000);
  });

  it('is spread over the interval by the board', () => {
    const places = Array.from({ length: 60 }, (_, index) => after(0, MINUTE, `brd_${index}`));
    const thirds = [0, 1, 2].map(
      (third) => places.filter((ms) => Math.min(2, Math.floor(ms / (MINUTE / 3))) === third).length,
    );
    for (const count of thirds) expect(count).toBeGreaterThan(8);
  });

  it('comes later the longer a board is away, at least every five minutes', () => {
    const place = after(0);
    const pauses = [1, 2, 3, 4, 5, 1000].map((failures) => (after(failures) - place) / MINUTE);
    expect(pauses).toEqual([0, 1, 3, 4, 4, 4]);
  });

  it('is never left out where the interval is long', () => {
    expect(after(9, 60 * MINUTE)).toBeLessThanOrEqual(60 * MINUTE);
  });
});
