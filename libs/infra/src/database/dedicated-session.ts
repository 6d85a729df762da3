import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from './log.ts';

export interface DedicatedSessionOptions {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Pause before the second attempt to connect; it doubles with each further one, up to the longest. */
  retryMs: number;
  longestRetryMs: number;
  /** How often the connection is tried: a server that vanished without a word is noticed this way. */
  probeMs: number;
  log: Log;
}

const ANSWER_TIMEOUT_MS = 3_000;

/**
 * Keeps one connection outside the pool, for what belongs to a session: LISTEN and advisory locks. Whenever it is
 * lost another is made, until `until` aborts. `use` is called with each; its signal aborts when the connection is
 * lost or `until` aborts, and it should then return. The connection is closed when `use` returns.
 */
export async function keepSession(
  options: DedicatedSessionOptions,
  until: AbortSignal,
  use: (client: pg.Client, lost: AbortSignal) => Promise<void>,
): Promise<void> {
  let pauseMs = options.retryMs;
  let isTold = false;
  const connectAndUse = () =>
    withSession(options, until, async (client, lost) => {
      pauseMs = options.retryMs;
      isTold = false;
      await use(client, lost);
    });
  while (!until.aborted) {
    await connectAndUse().catch((error: unknown) => {
      if (isTold || until.aborted) return;
      isTold = true;
      options.log('warn', `The connection of "${options.applicationName}" was lost; making another.`, error);
    });
    await sleep(pauseMs, undefined, { signal: until }).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, options.longestRetryMs);
  }
}

async function withSession(
  options: DedicatedSessionOptions,
  until: AbortSignal,
  use: (client: pg.Client, lost: AbortSignal) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
  });
  const broken = new AbortController();
  const lost = AbortSignal.any([broken.signal, until]);
  client.on('error', (error) => broken.abort(error));
  client.on('end', () => broken.abort(new Error('the server closed the connection')));
  await client.connect();
  const probe = setInterval(() => {
    client.query('SELECT 1').catch((error: unknown) => broken.abort(error));
  }, options.probeMs);
  try {
    await use(client, lost);
    if (broken.signal.aborted) throw broken.signal.reason;
  } finally {
    clearInterval(probe);
    await Promise.race([client.end().catch(() => {}), sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
