import type { JobEvent, JobResource } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { eventStream } from '../sse/event-stream.ts';

export interface EventOptions extends CallOptions {
  /** Only events behind this `seq`. Default: 0, which is all. */
  after?: number | undefined;
}

const FINAL_STATES: ReadonlySet<JobEvent['state']> = new Set<JobEvent['state']>([
  'completed',
  'failed',
  'cancelled',
  'timed_out',
  'out_of_memory',
  'node_failed',
]);

/** What has happened to a job and what happens until its end. Reconnects; no event is lost or doubled. */
export async function* jobEvents(
  transport: Transport,
  jobId: string,
  { after = 0, signal }: EventOptions,
): AsyncGenerator<JobEvent, void, undefined> {
  const path = requestPath('v1', 'jobs', jobId, 'events');
  let seq = after;
  const items = eventStream(transport, { path, query: () => ({ after: seq }), signal });
  for await (const item of items) {
    if (item.kind === 'closed') {
      // The stream ends without a last word, so its end looks like a connection that broke.
      if (!(await isFinished(transport, jobId, signal))) continue;
      yield* eventsSoFar(transport, path, seq, signal);
      return;
    }
    const event = JSON.parse(item.event.data) as JobEvent;
    if (event.seq <= seq) continue;
    seq = event.seq;
    yield event;
    if (FINAL_STATES.has(event.state)) return;
  }
}

async function isFinished(
  transport: Transport,
  jobId: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const path = requestPath('v1', 'jobs', jobId);
  const { finished } = await transport.json<JobResource>({ method: 'GET', path, repeatable: true, signal });
  return finished;
}

async function* eventsSoFar(
  transport: Transport,
  path: string,
  seq: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void, undefined> {
  let after = seq;
  for (;;) {
    const query = { after };
    const { items } = await transport.json<{ items: JobEvent[] }>({
      method: 'GET',
      path,
      query,
      repeatable: true,
      signal,
    });
    for (const event of items) {
      yield event;
      after = event.seq;
    }
    if (items.length === 0) return;
  }
}
