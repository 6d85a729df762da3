import type { Query } from './request-path.ts';

/** One call of the API, as often as it takes to send it. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, encoded; see `requestPath`. */
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  /** Makes the body, anew for each attempt. */
  body?: () => string | Blob | ReadableStream<Uint8Array>;
  /** Whether sending it twice does no more than sending it once. Others are never sent again. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
  /** Milliseconds for one attempt, if not the client's. */
  timeoutMs?: number;
  /** How often it may be sent again, if not as often as the client says. */
  maxRetries?: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}
