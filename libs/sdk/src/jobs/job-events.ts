import type { JobEvent } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { eventStream } from '../sse/event-stream.ts';

export interface EventOptions extends CallOptions {
  /** Only events behind this `seq`. Default: 0, which is all. */
  after?: number | undefined;
}

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
    if (item.kind === 'closed') continue;
    if (item.event.event === 'end') return;
    const event = JSON.parse(item.event.data) as JobEvent;
    if (event.seq <= seq) continue;
    seq = event.seq;
    yield event;
  }
}
