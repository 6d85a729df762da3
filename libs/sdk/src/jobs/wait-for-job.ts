import type { JobResource } from '../api-types.ts';
import { TimeoutError } from '../errors/bramble-error.ts';
import type { CallOptions } from '../http/api-request.ts';
import { Deadline } from '../http/deadline.ts';
import { pause } from '../http/pause.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface WaitOptions extends CallOptions {
  /** How far the job must have come. A job that has finished has been running too. Default: `finished`. */
  until?: 'running' | 'finished' | undefined;
  /** How long to wait at most, in milliseconds. Default: for ever. */
  timeoutMs?: number | undefined;
}

/** How long one request is held by the server, in seconds; proxies commonly give up after a minute. */
const HOLD_SECONDS = 30;
/** The least time between two requests, should the server not hold them. */
const LEAST_INTERVAL_MS = 1_000;

/**
 * Waits by long polling, across restarts of the API.
 * @param seen told of each answer, the last one too
 * @throws TimeoutError where the time is over; the job goes on
 */
export async function waitForJob(
  transport: Transport,
  jobId: string,
  { until = 'finished', signal, timeoutMs = Infinity }: WaitOptions,
  seen: (job: JobResource) => void,
): Promise<void> {
  const deadline = new Deadline(signal);
  deadline.start(timeoutMs);
  try {
    await poll(transport, jobId, until, deadline.signal, seen);
  } catch (error) {
    if (!deadline.expired) throw error;
    throw new TimeoutError(`Job ${jobId} was not ${until} after ${timeoutMs} ms; it goes on.`);
  } finally {
    deadline.close();
  }
}

async function poll(
  transport: Transport,
  jobId: string,
  until: 'running' | 'finished',
  signal: AbortSignal,
  seen: (job: JobResource) => void,
): Promise<void> {
  const { timeoutMs, maxReconnects } = transport.settings;
  for (;;) {
    const askedAt = Date.now();
    const job = await transport.json<JobResource>({
      method: 'GET',
      path: requestPath('v1', 'jobs', jobId),
      query: { wait: `${HOLD_SECONDS}s`, until },
      repeatable: true,
      timeoutMs: timeoutMs + HOLD_SECONDS * 1_000,
      maxRetries: maxReconnects,
      signal,
    });
    seen(job);
    if (job.finished) return;
    if (until === 'running' && (job.state === 'running' || job.state === 'collecting')) return;
    await pause(Math.max(0, LEAST_INTERVAL_MS - (Date.now() - askedAt)), signal);
  }
}
