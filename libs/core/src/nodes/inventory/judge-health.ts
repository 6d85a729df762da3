import type { Reason } from '../../jobs/job.ts';
import { surelyExceeds } from '../clock-skew.ts';
import type { BoardCondition, HealthState } from './board-health.ts';

/** What came of a look at a board. */
export type BoardSighting =
  | { kind: 'seen'; condition: BoardCondition }
  | { kind: 'unreachable'; because: string }
  | { kind: 'host_key_changed'; shownSha256: string }
  | { kind: 'refused' }
  /** It let Bramble in, and did not tell what it was asked. */
  | { kind: 'unreadable'; because: string };

const HOT_CELSIUS = 80;
const FULL_PERCENT = 90;
/** munge refuses what is older than minutes, but two clocks this far apart have lost their time server. */
const SKEWED_SECONDS = 2;

/** Conditions of `get_throttled` that cost speed or data; a frequency that was capped long ago is none of them. */
const THROTTLING: Readonly<Partial<Record<string, Reason>>> = {
  'under-voltage': {
    code: 'under_voltage',
    message: 'Its voltage is too low: use a stronger power supply, or a shorter cable.',
  },
  'under-voltage since the start': {
    code: 'under_voltage_since_start',
    message: 'Its voltage was too low since it started: use a stronger power supply, or a shorter cable.',
  },
  'frequency capped': {
    code: 'frequency_capped',
    message: 'Its frequency is capped: it is slower than it could be.',
  },
  throttled: { code: 'throttled', message: 'It is throttled: it is slower than it could be.' },
  'soft temperature limit': {
    code: 'soft_temperature_limit',
    message: 'It has reached its soft temperature limit: it is slower than it could be.',
  },
};

/** How a board is, by what was seen of it, and why. */
export function judgeHealth(sighting: BoardSighting): { state: HealthState; reasons: Reason[] } {
  switch (sighting.kind) {
    case 'seen': {
      const reasons = complaints(sighting.condition);
      return { state: reasons.length === 0 ? 'healthy' : 'degraded', reasons };
    }
    case 'unreachable':
      return {
        state: 'unreachable',
        reasons: [{ code: 'unreachable', message: `Nobody answers at its address: ${sighting.because}.` }],
      };
    case 'host_key_changed':
      return {
        state: 'unknown',
        reasons: [
          {
            code: 'host_key_changed',
            message:
              `It showed the host key ${sighting.shownSha256}, which is not the pinned one; nothing was sent there. ` +
              'Is it another machine, or was it installed anew?',
          },
        ],
      };
    case 'refused':
      return {
        state: 'unknown',
        reasons: [
          {
            code: 'sign_in_refused',
            message: 'It does not take the managed key any more: apply it again with a way to sign in.',
          },
        ],
      };
    case 'unreadable':
      return {
        state: 'unknown',
        reasons: [{ code: 'unreadable', message: `It cannot tell how it is: ${sighting.because}` }],
      };
  }
}

function complaints(condition: BoardCondition): Reason[] {
  const { temperatureCelsius, rootUsedPercent, rootFreeMebibytes, clockSkewSeconds } = condition;
  const reasons = (condition.throttled ?? []).flatMap((name) => THROTTLING[name] ?? []);
  if (temperatureCelsius !== null && temperatureCelsius >= HOT_CELSIUS) {
    reasons.push({
      code: 'hot',
      message: `It is ${temperatureCelsius.toFixed(0)} °C hot: from ${HOT_CELSIUS} °C on it slows down. Cool it.`,
    });
  }
  if (rootUsedPercent > FULL_PERCENT) {
    reasons.push({
      code: 'disk_full',
      message: `Its disk is ${rootUsedPercent.toFixed(0)} % full: ${rootFreeMebibytes} MiB are left on /.`,
    });
  }
  const skew = { seconds: clockSkewSeconds, uncertaintySeconds: condition.clockSkewUncertaintySeconds };
  if (surelyExceeds(skew, SKEWED_SECONDS)) {
    const direction = clockSkewSeconds > 0 ? 'ahead of' : 'behind';
    reasons.push({
      code: 'clock_skew',
      message:
        `Its clock is ${Math.abs(clockSkewSeconds).toFixed(1)} s ${direction} the worker's: ` +
        'look whether chrony reaches a time server.',
    });
  }
  return reasons;
}
