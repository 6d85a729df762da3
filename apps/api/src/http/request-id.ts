import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import type { Caller } from '#core/access/caller';

export interface IdentifiedRequest extends Request {
  /** Names the request in logs and errors. */
  id: string;
  caller?: Caller;
}

const GIVEN_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** The id that a client or proxy gave the request, where it is well formed, or a new one; answered in the same header. */
export function requestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && GIVEN_ID.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  return id;
}
