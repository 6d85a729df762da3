import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { advisoryLockKey } from './advisory-lock.ts';
import { keepSession } from './dedicated-session.ts';
import type { Log } from './log.ts';

const TRY_AGAIN_MS = 1_000;

/**
 * Elects one process among many, by a lock that PostgreSQL holds for a connection and gives to the next as soon as
 * that is gone, however the process ended. A leader whose network breaks may notice some seconds after another was
 * elected: for so long two may lead, so what leaders do must bear that, as compare-and-set does.
 */
export class Leadership {
  readonly #url: string;
  readonly #name: string;
  readonly #log: Log;
  #leading = false;

  /** @param options.name what is led; one process at a time leads each name in a database */
  constructor(options: { url: string; name: string; log: Log }) {
    this.#url = options.url;
    this.#name = options.name;
    this.#log = options.log;
  }

  get isLeader(): boolean {
    return this.#leading;
  }

  /**
   * Runs `work` whenever, and as long as, this process leads. Its signal aborts when leadership is lost or `until`
   * aborts. Where `work` returns or fails before that, leadership is given up and sought again after a second.
   * Resolves after `until` has aborted and `work` has returned.
   */
  async run(work: (signal: AbortSignal) => Promise<void>, until: AbortSignal): Promise<void> {
    const session = {
      url: this.#url,
      applicationName: `bramble ${this.#name} leader`,
      retryMs: TRY_AGAIN_MS,
      longestRetryMs: TRY_AGAIN_MS,
      probeMs: TRY_AGAIN_MS,
      log: this.#log,
    };
    await keepSession(session, until, async (client, lost) => {
      if (!(await this.#elected(client, lost))) return;
      this.#leading = true;
      this.#log('info', `This process leads: ${this.#name}.`);
      try {
        await work(lost);
      } catch (error) {
        this.#log('error', `The work of the leader failed: ${this.#name}.`, error);
      } finally {
        this.#leading = false;
        this.#log('info', `This process leads no more: ${this.#name}.`);
      }
    });
  }

  async #elected(client: pg.Client, lost: AbortSignal): Promise<boolean> {
    const key = advisoryLockKey(`leader:${this.#name}`);
    while (!lost.aborted) {
      const { rows } = await client.query<{ elected: boolean }>(
        'SELECT pg_try_advisory_lock($1) AS elected',
        [key],
      );
      if (rows[0]?.elected === true) return true;
      await sleep(TRY_AGAIN_MS, undefined, { signal: lost }).catch(() => {});
    }
    return false;
  }
}
