import type { Clock } from '#core/vocabulary/clock';

/** Stands still until it is told to go on. */
export class ManualClock implements Clock {
  #ms: number;

  constructor(start = '2026-03-01T12:00:00.000Z') {
    this.#ms = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#ms);
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  /** The time in `ms` from now; in the past where it is negative. */
  in(ms: number): Date {
    return new Date(this.#ms + ms);
  }
}
