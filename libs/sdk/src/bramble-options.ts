import { ConfigurationError } from './errors/bramble-error.ts';
import { ApiKey } from './http/api-key.ts';
import type { TransportSettings } from './http/transport.ts';

/** How to reach the API. What is left out comes from the environment, or has a default. */
export interface BrambleOptions {
  /** Where the API is, such as `http://pi-head:8080`. Default: the environment's `BRAMBLE_URL`. */
  baseUrl?: string | undefined;
  /** Default: the environment's `BRAMBLE_API_KEY`. */
  apiKey?: string | undefined;
  /** What sends the requests. Default: the runtime's own `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that one attempt of a call may take; uploads get more, by their size. Default: 30000. */
  timeoutMs?: number | undefined;
  /** Milliseconds after which a log, an event stream or a download counts as broken when nothing comes. Default: 45000. */
  streamTimeoutMs?: number | undefined;
  /** How often a call that may be repeated is repeated. Default: 3. */
  maxRetries?: number | undefined;
  /** How often in a row logs, events and `wait` try to get through again, for about a minute. Default: 10. */
  maxReconnects?: number | undefined;
  /** Milliseconds before the first repetition; doubled for each further one, up to 15000. Default: 250. */
  retryDelayMs?: number | undefined;
}

/** @throws ConfigurationError naming the option that is missing or wrong */
export function resolveOptions(
  options: BrambleOptions,
  environment: (name: string) => string | undefined,
): TransportSettings {
  const baseUrl = options.baseUrl ?? environment('BRAMBLE_URL');
  const apiKey = options.apiKey ?? environment('BRAMBLE_API_KEY');
  if (baseUrl === undefined || baseUrl === '') {
    throw new ConfigurationError('Where is the API? Give "baseUrl", or set BRAMBLE_URL.');
  }
  if (apiKey === undefined || apiKey === '') {
    throw new ConfigurationError('There is no API key: give "apiKey", or set BRAMBLE_API_KEY.');
  }
  return {
    baseUrl: readBaseUrl(baseUrl),
    apiKey: new ApiKey(apiKey),
    // Called as a method, the global fetch of browsers refuses to run.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? 30_000),
    streamTimeoutMs: positive('streamTimeoutMs', options.streamTimeoutMs ?? 45_000),
    maxRetries: count('maxRetries', options.maxRetries ?? 3),
    maxReconnects: count('maxReconnects', options.maxReconnects ?? 10),
    retryDelayMs: positive('retryDelayMs', options.retryDelayMs ?? 250),
  };
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigurationError('The base URL must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError('The base URL must have no user, password, query or fragment.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new ConfigurationError(`"${name}" must be a number of more than 0.`);
}

function count(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new ConfigurationError(`"${name}" must be a whole number of at least 0.`);
}
