import { type ApiError, apiError, type FieldFault } from '../errors/api-error.ts';
import { retryAfterMs } from './retry-after.ts';

/** No problem document comes near; more is not worth waiting for. */
const MOST_CHARACTERS = 1_000_000;

/**
 * The error that an answer stands for: the API's own `application/problem+json`, or what can be said of an answer
 * that came from something in front of it.
 */
export async function readProblem(response: Response, redact: (text: string) => string): Promise<ApiError> {
  const text = (await response.text().catch(() => '')).slice(0, MOST_CHARACTERS);
  const document = parseObject(text);
  const { status, headers } = response;
  return apiError({
    status,
    code: stringOf(document.code) ?? `http_${status}`,
    detail: redact(stringOf(document.detail) ?? describeForeignAnswer(response)),
    requestId: stringOf(document.requestId) ?? headers.get('x-request-id'),
    faults: faultsOf(document.faults).map(({ field, message }) => ({ field, message: redact(message) })),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  });
}

/** An answer that was meant well and is not the API's. */
export function unexpectedAnswer(response: Response): ApiError {
  return apiError({
    status: response.status,
    code: 'unexpected_answer',
    detail: `${describeForeignAnswer(response)} Is the base URL right?`,
    requestId: response.headers.get('x-request-id'),
    faults: [],
    retryAfterMs: null,
  });
}

function describeForeignAnswer({ status, statusText, headers }: Response): string {
  const type = headers.get('content-type')?.split(';')[0] ?? 'no content type';
  const title = statusText === '' ? String(status) : `${status} ${statusText}`;
  return `The answer was ${title} (${type}), not one of the Bramble API.`;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function faultsOf(value: unknown): FieldFault[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (fault): fault is FieldFault =>
      isObject(fault) && typeof fault.field === 'string' && typeof fault.message === 'string',
  );
}
