/** How far a board's clock is from the worker's, as far as one look can tell. */
export interface ClockSkew {
  /** The board's clock less that of the worker: above 0 where it is ahead. */
  seconds: number;
  /**
   * Half of the round trip. The board read its clock at some moment between question and answer, so the true skew is at
   * most this far from `seconds`.
   */
  uncertaintySeconds: number;
}

/**
 * @param boardSeconds what the board's clock showed, in seconds since 1970
 * @param askedAtMs what the worker's clock showed before the question
 * @param answeredAtMs and after the answer
 */
export function clockSkew(boardSeconds: number, askedAtMs: number, answeredAtMs: number): ClockSkew {
  return {
    seconds: toMilliseconds(boardSeconds - (askedAtMs + answeredAtMs) / 2000),
    uncertaintySeconds: toMilliseconds((answeredAtMs - askedAtMs) / 2000),
  };
}

/** Whether the clock is off by more than the limit, wherever in the round trip it was read. */
export const surelyExceeds = ({ seconds, uncertaintySeconds }: ClockSkew, limitSeconds: number): boolean =>
  Math.abs(seconds) - uncertaintySeconds > limitSeconds;

export const surelyWithin = ({ seconds, uncertaintySeconds }: ClockSkew, limitSeconds: number): boolean =>
  Math.abs(seconds) + uncertaintySeconds <= limitSeconds;

/** Such as `3.21 s ahead of the worker's`, or `4.00 ± 3.5 s behind the worker's` where the connection was slow. */
export function inWords({ seconds, uncertaintySeconds }: ClockSkew): string {
  const skew = Math.abs(seconds).toFixed(Math.abs(seconds) < 10 ? 2 : 0);
  const uncertainty = uncertaintySeconds < 0.1 ? '' : ` ± ${uncertaintySeconds.toFixed(1)}`;
  return `${skew}${uncertainty} s ${seconds < 0 ? 'behind' : 'ahead of'} the worker's`;
}

const toMilliseconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;
