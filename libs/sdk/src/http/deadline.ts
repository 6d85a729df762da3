/** A signal that follows the caller's and is aborted, too, when its own clock has run out. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #follow = () => this.#controller.abort(this.#parent?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #expired = false;

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent;
    if (parent?.aborted === true) this.#follow();
    else parent?.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the clock that ended it. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Sets the clock anew, in milliseconds; `Infinity` sets none. */
  start(ms: number): void {
    this.stop();
    if (ms === Infinity) return;
    // Longer timers fire at once.
    this.#timer = setTimeout(() => this.#expire(), Math.min(ms, 2 ** 31 - 1));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Stops the clock and lets go of the caller's signal. */
  close(): void {
    this.stop();
    this.#parent?.removeEventListener('abort', this.#follow);
  }

  #expire(): void {
    this.#expired = true;
    this.#controller.abort(new DOMException('The time was over', 'TimeoutError'));
  }
}
