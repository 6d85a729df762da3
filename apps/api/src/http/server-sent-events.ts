import { once } from 'node:events';
import type { Response } from 'express';

export interface ServerSentEvent {
  id?: string;
  event: string;
  data: unknown;
}

/** Proxies and browsers drop a connection that says nothing for long. */
const KEEP_ALIVE_MS = 15_000;

/**
 * Writes events as they come, no faster than the client reads them, until the source ends or the client goes away.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function sendEvents(
  response: Response,
  events: AsyncIterable<ServerSentEvent>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    // nginx and Traefik would hold events back to fill their buffers.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const { id, event, data } of events) {
      const lines = [
        ...(id === undefined ? [] : [`id: ${id}`]),
        `event: ${event}`,
        `data: ${JSON.stringify(data)}`,
      ];
      await write(response, `${lines.join('\n')}\n\n`, signal);
    }
  } finally {
    clearInterval(keepAlive);
  }
  response.end();
}

/** Writes, and waits where the client is slow. Ends quietly where it has gone. */
export async function write(
  response: Response,
  chunk: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted || response.write(chunk)) return;
  await once(response, 'drain', { signal }).catch(() => {});
}
