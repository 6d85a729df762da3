import { ConnectionError } from '../errors/bramble-error.ts';
import type { Query } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { EventParser, type ServerSentEvent } from './event-parser.ts';

export interface EventStreamRequest {
  path: string;
  /** The query, given the id of the last event that was read; undefined before the first. */
  query: (lastEventId: string | undefined) => Query;
  signal?: AbortSignal | undefined;
}

/** An event, or that the server has closed the stream. Whoever reads on then, reconnects. */
export type StreamItem = { kind: 'event'; event: ServerSentEvent } | { kind: 'closed' };

/**
 * Reads server-sent events, and goes on behind the last one where the connection breaks.
 * @throws ConnectionError after `maxReconnects` attempts in a row on which nothing came; what the API refuses, and
 * what keeps the very first connection from being made, is thrown as it is
 */
export async function* eventStream(
  transport: Transport,
  request: EventStreamRequest,
): AsyncGenerator<StreamItem, void, undefined> {
  const { maxReconnects } = transport.settings;
  let lastEventId: string | undefined;
  let opened = false;
  let fruitless = 0;
  for (;;) {
    let failure: unknown;
    try {
      const { pieces } = await transport.stream(
        {
          method: 'GET',
          path: request.path,
          query: request.query(lastEventId),
          headers: lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId },
          repeatable: true,
          ...(opened ? { maxRetries: 0 } : {}),
          signal: request.signal,
        },
        'text/event-stream',
      );
      opened = true;
      const parser = new EventParser();
      for await (const bytes of pieces) {
        fruitless = 0;
        for (const event of parser.push(bytes)) {
          lastEventId = event.id ?? lastEventId;
          yield { kind: 'event', event };
        }
      }
      yield { kind: 'closed' };
    } catch (error) {
      if (!opened || !transport.mayPass(error)) throw error;
      failure = error;
    }
    if (fruitless >= maxReconnects) {
      throw new ConnectionError(
        `GET ${request.path}: the stream broke off, and could not be taken up again ${maxReconnects} times in a row.`,
        { cause: failure },
      );
    }
    await transport.pauseBeforeRepetition(fruitless, failure, request.signal);
    fruitless += 1;
  }
}
