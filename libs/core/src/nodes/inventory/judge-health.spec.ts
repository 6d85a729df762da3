import { describe, expect, it } from 'vitest';
import type { BoardCondition } from './board-health.ts';
import { judgeHealth } from './judge-health.ts';

const FINE: BoardCondition = {
  ...{ temperatureCelsius: 48, throttled: [], clockSkewSeconds: 0.1, clockSkewUncertaintySeconds: 0.01 },
  ...{
    rootUsedPercent: 40,
    rootFreeMebibytes: 9_000,
    load: 3,
    bootId: 'a',
    bootedAt: '2031-04-05T06:07:08.000Z',
  },
  readAt: '2031-04-05T06:07:08.000Z',
};
const judge = (changes: Partial<BoardCondition>) => {
  const { state, reasons } = judgeHealth({ kind: 'seen', condition: { ...FINE, ...changes } });
  return [state, ...reasons.map(({ code }) => code)];
};

describe('the health of a board', () => {
  it.each<[string, Partial<BoardCondition>, string[]]>([
    ['fine', {}, ['healthy']],
    ['busy, and that is what it is for', { load: 40 }, ['healthy']],
    ['without a thermometer and vcgencmd', { temperatureCelsius: null, throttled: null }, ['healthy']],
    ['short of power', { throttled: ['under-voltage'] }, ['degraded', 'under_voltage']],
    [
      'short of power some time ago',
      { throttled: ['under-voltage since the start'] },
      ['degraded', 'under_voltage_since_start'],
    ],
    ['throttled some time ago', { throttled: ['throttled since the start'] }, ['healthy']],
    ['just warm', { temperatureCelsius: 79.9 }, ['healthy']],
    ['hot', { temperatureCelsius: 80 }, ['degraded', 'hot']],
    ['filled', { rootUsedPercent: 90 }, ['healthy']],
    ['full', { rootUsedPercent: 90.1 }, ['degraded', 'disk_full']],
    ['behind', { clockSkewSeconds: -2.1 }, ['degraded', 'clock_skew']],
    ['ahead', { clockSkewSeconds: 2 }, ['healthy']],
    [
      'asked over a connection that stalled',
      { clockSkewSeconds: -4, clockSkewUncertaintySeconds: 4 },
      ['healthy'],
    ],
    [
      'hot, full and slow',
      { throttled: ['throttled'], temperatureCelsius: 85, rootUsedPercent: 99 },
      ['degraded', 'throttled', 'hot', 'disk_full'],
    ],
  ])('that is %s', (_, changes, expected) => {
    expect(judge(changes)).toEqual(expected);
  });

  it('is told in words', () => {
    const { reasons } = judgeHealth({ kind: 'seen', condition: { ...FINE, clockSkewSeconds: -75.25 } });
    expect(reasons[0]?.message).toBe(
      "Its clock is 75.3 s behind the worker's: look whether chrony reaches a time server.",
    );
  });

  it('is not known where somebody else answers, or it lets nobody in', () => {
    const changed = judgeHealth({ kind: 'host_key_changed', shownSha256: 'SHA256:other' });
    expect(changed).toMatchObject({ state: 'unknown', reasons: [{ code: 'host_key_changed' }] });
    expect(changed.reasons[0]?.message).toContain('SHA256:other');
    expect(judgeHealth({ kind: 'refused' })).toMatchObject({
      state: 'unknown',
      reasons: [{ code: 'sign_in_refused' }],
    });
    expect(judgeHealth({ kind: 'unreadable', because: 'no df' }).state).toBe('unknown');
    expect(judgeHealth({ kind: 'unreachable', because: 'no route' }).state).toBe('unreachable');
  });
});
