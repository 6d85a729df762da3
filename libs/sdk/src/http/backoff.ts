export interface Backoff {
  /** Pause before the first repetition, in milliseconds. */
  firstMs: number;
  /** No pause is longer than this, in milliseconds. */
  longestMs: number;
}

/** Milliseconds to pause before repetition `count`, counted from 0: doubled each time, and scattered by a half. */
export function backoffMs({ firstMs, longestMs }: Backoff, count: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(count, 30));
  return full * (0.5 + Math.random() / 2);
}
