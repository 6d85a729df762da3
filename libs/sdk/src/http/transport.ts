import { ApiError } from '../errors/api-error.ts';
import { BrambleError, ConnectionError, TimeoutError } from '../errors/bramble-error.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiRequest } from './api-request.ts';
import { backoffMs } from './backoff.ts';
import { Deadline } from './deadline.ts';
import { abortReason, pause } from './pause.ts';
import { readProblem, unexpectedAnswer } from './problem.ts';
import { queryString } from './request-path.ts';

export interface TransportSettings {
  /** Without a slash at its end. */
  baseUrl: string;
  apiKey: ApiKey;
  fetch: typeof globalThis.fetch;
  timeoutMs: number;
  streamTimeoutMs: number;
  maxRetries: number;
  maxReconnects: number;
  retryDelayMs: number;
}

/** An answer whose body is read piece by piece. */
export interface StreamedAnswer {
  status: number;
  headers: Headers;
  /** To be read to the end, or left with `break` or `return`, which closes the connection. */
  pieces: AsyncGenerator<Uint8Array, void, undefined>;
}

/** For answers of which any content type is right. */
export const ANY_TYPE = '*/*';

const LONGEST_PAUSE_MS = 15_000;
/** A server that asks for more patience than this gets the error to the caller instead. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** Sends requests: authorization, time limits, retries, and errors of this library's own classes. */
export class Transport {
  readonly settings: Omit<TransportSettings, 'apiKey'>;
  readonly #apiKey: ApiKey;

  constructor({ apiKey, ...settings }: TransportSettings) {
    this.#apiKey = apiKey;
    this.settings = settings;
  }

  /** The JSON of the answer. That it has the shape of `T` is the API's word. */
  json<T>(request: ApiRequest): Promise<T> {
    return this.#patiently(request, () =>
      this.#exchange(request, 'application/json', async (response) => {
        const text = await response.text();
        try {
          return JSON.parse(text) as T;
        } catch {
          throw unexpectedAnswer(response);
        }
      }),
    );
  }

  /** For answers without a body. */
  async nothing(request: ApiRequest): Promise<void> {
    await this.#patiently(request, () =>
      this.#exchange(request, 'application/json', (response) => response.text()),
    );
  }

  /**
   * An answer of any length. The attempts are repeated until its head has come; a body that breaks off is the
   * reader's to deal with, as is its content type where `accept` is `ANY_TYPE`. Reading fails with a TimeoutError where nothing comes for `streamTimeoutMs`.
   */
  stream(request: ApiRequest, accept: string): Promise<StreamedAnswer> {
    return this.#patiently(request, () => this.#openStream(request, accept));
  }

  /** Whether an error may pass by itself, and soon enough for the same request to be sent again. */
  mayPass(error: unknown): boolean {
    if (error instanceof ApiError) {
      return RETRIED_STATUSES.has(error.status) && (error.retryAfterMs ?? 0) <= LONGEST_RETRY_AFTER_MS;
    }
    return error instanceof ConnectionError || error instanceof TimeoutError;
  }

  /** Waits before repetition `count` of something that failed with `error`, counted from 0. */
  async pauseBeforeRepetition(count: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const backoff = { firstMs: this.settings.retryDelayMs, longestMs: LONGEST_PAUSE_MS };
    await pause(Math.max(asked, backoffMs(backoff, count)), signal);
  }

  async #patiently<T>(request: ApiRequest, attempt: () => Promise<T>): Promise<T> {
    const most = request.repeatable ? (request.maxRetries ?? this.settings.maxRetries) : 0;
    for (let repetitions = 0; ; repetitions += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (repetitions >= most || !this.mayPass(error)) throw error;
        await this.pauseBeforeRepetition(repetitions, error, request.signal);
      }
    }
  }

  async #exchange<T>(
    request: ApiRequest,
    accept: string,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline(request.signal);
    const timeoutMs = request.timeoutMs ?? this.settings.timeoutMs;
    deadline.start(timeoutMs);
    try {
      return await read(await this.#send(request, accept, deadline.signal));
    } catch (error) {
      throw this.#explain(error, request, deadline, timeoutMs);
    } finally {
      deadline.close();
    }
  }

  async #openStream(request: ApiRequest, accept: string): Promise<StreamedAnswer> {
    const deadline = new Deadline(request.signal);
    const timeoutMs = request.timeoutMs ?? this.settings.timeoutMs;
    deadline.start(timeoutMs);
    try {
      const response = await this.#send(request, accept, deadline.signal);
      const { status, headers, body } = response;
      if (accept !== ANY_TYPE && headers.get('content-type')?.startsWith(accept) !== true) {
        await body?.cancel();
        throw unexpectedAnswer(response);
      }
      deadline.stop();
      return { status, headers, pieces: this.#pieces(request, body, deadline) };
    } catch (error) {
      deadline.close();
      throw this.#explain(error, request, deadline, timeoutMs);
    }
  }

  async *#pieces(
    request: ApiRequest,
    body: ReadableStream<Uint8Array> | null,
    deadline: Deadline,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = body?.getReader();
    try {
      while (reader !== undefined) {
        // The clock runs while the server is waited for, never while the reader of the pieces takes its time.
        deadline.start(this.settings.streamTimeoutMs);
        const { done, value } = await reader.read();
        deadline.stop();
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw this.#explain(error, request, deadline, this.settings.streamTimeoutMs);
    } finally {
      deadline.close();
      reader?.cancel().catch(() => {});
    }
  }

  async #send(request: ApiRequest, accept: string, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const body = request.body?.();
    const init: RequestInit = {
      method: request.method,
      headers: { Accept: accept, Authorization: this.#apiKey.authorization(), ...request.headers },
      signal,
      cache: 'no-store',
      // Followed, a redirect would turn a submission into a listing, and could carry the key elsewhere.
      redirect: 'manual',
      ...(body === undefined ? {} : bodyInit(body)),
    };
    const response = await this.settings.fetch(this.#url(request), init);
    if (response.ok) return response;
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      throw unexpectedAnswer(response);
    }
    throw await readProblem(response, (text) => this.#apiKey.redact(text));
  }

  #url({ path, query = {} }: ApiRequest): string {
    return `${this.settings.baseUrl}${path}${queryString(query)}`;
  }

  #explain(error: unknown, request: ApiRequest, deadline: Deadline, timeoutMs: number): Error {
    if (request.signal?.aborted === true) return abortReason(request.signal);
    const what = `${request.method} ${this.settings.baseUrl}${request.path}`;
    if (deadline.expired) return new TimeoutError(`${what}: nothing came for ${timeoutMs} ms.`);
    if (error instanceof BrambleError) return error;
    const message = this.#apiKey.redact(`${what} did not get through: ${innermostMessage(error)}`);
    return new ConnectionError(message, this.#apiKey.isIn(error) ? {} : { cause: error });
  }
}

/**
 * A request that might be redirected or asked for a password is kept to be sent again: Node's `fetch` would keep all
 * of an upload in memory. `redirect` and `window` say that it will not be.
 */
function bodyInit(body: string | Blob | ReadableStream<Uint8Array>): RequestInit & { duplex?: 'half' } {
  if (typeof body === 'string') return { body };
  const sentOnce = { body, redirect: 'error', window: null } as const;
  return body instanceof Blob ? sentOnce : { ...sentOnce, duplex: 'half' };
}

/** `fetch` says "fetch failed" and keeps what happened in its cause. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return innermostMessage(error.cause);
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
