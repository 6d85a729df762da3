interface Connecting {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

const OPEN_AGAIN_MS = 1_000;

/**
 * An end of a queue that gets over a failed start. BullMQ remembers the failure of its first connection for ever and
 * answers everything with it, so a new end takes the place of one that could not start.
 */
export class KeptOpen<End extends Connecting> {
  readonly #open: () => End;
  readonly #waiting = new Set<(end: End) => void>();
  #end: End;
  #isReady = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(open: () => End) {
    this.#open = open;
    this.#end = this.#opened();
  }

  /**
   * The end once it has been connected for the first time.
   * @throws the signal's reason when that aborts first
   */
  ready(signal: AbortSignal): Promise<End> {
    if (this.#isReady) return Promise.resolve(this.#end);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(onReady);
        reject(signal.reason as Error);
      };
      const onReady = (end: End) => {
        signal.removeEventListener('abort', onAbort);
        resolve(end);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(onReady);
    });
  }

  /** Opens no more. The end itself is for the caller to close. */
  stop(): End {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    return this.#end;
  }

  #opened(): End {
    const end = this.#open();
    end.waitUntilReady().then(
      () => {
        this.#isReady = true;
        for (const tell of this.#waiting) tell(end);
        this.#waiting.clear();
      },
      () => {
        if (this.#isClosed) return;
        end.close().catch(() => {});
        this.#timer = setTimeout(() => {
          this.#end = this.#opened();
        }, OPEN_AGAIN_MS);
      },
    );
    return end;
  }
}
