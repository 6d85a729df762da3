import { describe, expect, it } from 'vitest';
import { StepProblem } from '../../board-step.ts';
import type { ClockSkew } from '../../clock-skew.ts';
import { chronySources, type TimeKeeping, timeFinding } from './time-keeping.ts';

const CHRONY: TimeKeeping = { keeper: 'chrony', enabled: true, synchronised: true, sourcesDiffer: false };
const by = (seconds: number, uncertaintySeconds = 0): ClockSkew => ({ seconds, uncertaintySeconds });
const TIMESYNCD = { ...CHRONY, keeper: 'systemd-timesyncd' };

describe('the time of a board', () => {
  it.each([
    [CHRONY, 0.012, [], "chrony, synchronised; the clock is 0.01 s ahead of the worker's"],
    [TIMESYNCD, -0.4, [], "systemd-timesyncd, synchronised; the clock is 0.40 s behind the worker's"],
    [
      { ...CHRONY, synchronised: false },
      0,
      ['10.0.0.1'],
      "chrony, which no time server has answered yet; the clock is 0.00 s ahead of the worker's",
    ],
  ])('is right: %j %d %j', (keeping, skew, servers, detail) => {
    expect(timeFinding(keeping, by(skew), servers)).toEqual({ kind: 'right', detail });
  });

  it.each([
    [{ ...CHRONY, synchronised: false }, -600, [], 'the clock is 600 s behind'],
    [{ ...CHRONY, synchronised: false, keeper: null }, 1.5, [], 'the clock is 1.50 s ahead of'],
    [{ ...CHRONY, synchronised: false, keeper: null }, 0, [], 'nothing keeps the time'],
    [TIMESYNCD, 0, ['10.0.0.1'], 'systemd-timesyncd keeps the time; '],
    [{ ...TIMESYNCD, synchronised: false }, 0, [], 'systemd-timesyncd keeps the time, and has no answer'],
    [{ ...CHRONY, enabled: false }, 0, [], 'does not run after the next start'],
    [{ ...CHRONY, sourcesDiffer: true }, 0, [], 'asks other time servers'],
  ])('is not right: %j %d %j', (keeping, skew, servers, detail) => {
    expect(timeFinding(keeping, by(skew), servers)).toEqual({
      kind: 'differs',
      detail: expect.stringContaining(detail) as string,
    });
  });

  it('is not set where the board follows a time server: the worker may be the one that is wrong', () => {
    expect(() => timeFinding(CHRONY, by(600), [])).toThrow(StepProblem);
    expect(() => timeFinding(TIMESYNCD, by(-3), ['10.0.0.1'])).toThrow("3.00 s behind the worker's");
  });

  it('is right where a connection that stalled cannot tell more', () => {
    expect(timeFinding(CHRONY, by(-4, 4), [])).toEqual({
      kind: 'right',
      detail: "chrony, synchronised; the clock is 4.00 ± 4.0 s behind the worker's",
    });
  });

  it('is asked of the servers that are given', () => {
    expect(chronySources(['10.0.0.1', 'ntp.home.lab'])).toBe(
      '# Written by Bramble.\nserver 10.0.0.1 iburst prefer\nserver ntp.home.lab iburst prefer\n',
    );
  });
});
