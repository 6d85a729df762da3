import type { Operation } from '../api-types.ts';
import { type Query, requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface BeginOptions {
  /** Left out: none. */
  body?: unknown;
  query?: Query;
  signal?: AbortSignal | undefined;
}

/** Asks for something that takes time, once: asked again it would be refused, because it is under way. */
export function beginOperation(
  transport: Transport,
  segments: readonly string[],
  { body, query = {}, signal }: BeginOptions = {},
): Promise<Operation> {
  return transport.json({
    method: 'POST',
    path: requestPath(...segments),
    query,
    ...(body === undefined
      ? {}
      : { headers: { 'Content-Type': 'application/json' }, body: () => JSON.stringify(body) }),
    repeatable: false,
    signal,
  });
}

/** What is given of it; undefined where nothing is, so that no body is sent. */
export const givenOf = <T extends object>(fields: T): T | undefined =>
  Object.values(fields).every((value) => value === undefined) ? undefined : fields;
