import type { JobChanges } from '#core/jobs/job-store';
import { aborted, keepSession } from './dedicated-session.ts';
import type { Log } from './log.ts';

/** The channel on which the store tells the id of each job that it has changed. */
export const JOB_CHANGES_CHANNEL = 'bramble_jobs';

/**
 * Hears of changed jobs, whichever process changed them, over one connection of its own. After it was lost and made
 * again every listener is called, because nobody knows what was missed.
 */
export class PostgresJobChanges implements JobChanges {
  readonly #url: string;
  readonly #log: Log;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: { url: string; log: Log }) {
    this.#url = options.url;
    this.#log = options.log;
  }

  /** Begins to listen. Whoever subscribes before that is called once it does. */
  start(): void {
    this.#running ??= keepSession(
      {
        url: this.#url,
        applicationName: 'bramble job changes',
        retryMs: 100,
        longestRetryMs: 5_000,
        probeMs: 15_000,
        log: this.#log,
      },
      this.#stopped.signal,
      async (client, lost) => {
        client.on('notification', ({ payload }) => this.#call(this.#listeners.get(payload ?? '')));
        await client.query(`LISTEN ${JOB_CHANGES_CHANNEL}`);
        for (const listeners of [...this.#listeners.values()]) this.#call(listeners);
        await aborted(lost);
      },
    );
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  subscribe(jobId: string, listener: () => void): () => void {
    // Each subscription is its own entry, so that one function may be subscribed twice.
    const entry = () => listener();
    const listeners = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, listeners.add(entry));
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(jobId) === listeners) this.#listeners.delete(jobId);
    };
  }

  #call(listeners: ReadonlySet<() => void> | undefined): void {
    for (const listener of [...(listeners ?? [])]) {
      try {
        listener();
      } catch (error) {
        this.#log('error', 'A listener to changes of a job failed.', error);
      }
    }
  }
}
