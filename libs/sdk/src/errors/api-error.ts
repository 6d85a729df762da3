import { BrambleError } from './bramble-error.ts';

/** One faulty field of a request, such as `inputs[0].path`, and what is wrong with it. */
export interface FieldFault {
  field: string;
  message: string;
}

export interface ApiErrorDetails {
  status: number;
  code: string;
  detail: string;
  requestId: string | null;
  faults: readonly FieldFault[];
  retryAfterMs: number | null;
}

/** The API answered with an error. */
export class ApiError extends BrambleError {
  override readonly name: string = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** What is wrong and what would help. */
  readonly detail: string;
  /** Names the request in the server's logs; null where something in front of the API answered. */
  readonly requestId: string | null;
  /** Every faulty field of the request; empty where the fault is no field's. */
  readonly faults: readonly FieldFault[];
  /** How long the server asks to wait before the next attempt, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;

  constructor(details: ApiErrorDetails) {
    const faults = details.faults.map(({ field, message }) => `\n  ${field}: ${message}`).join('');
    super(details.code, `${details.detail}${faults}`);
    this.status = details.status;
    this.detail = details.detail;
    this.requestId = details.requestId;
    this.faults = details.faults;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** 400: the request is not right; `faults` names every field. */
export class InvalidRequestError extends ApiError {
  override readonly name = 'InvalidRequestError';
}

/** 401: the API key is missing or not valid. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError';
}

/** 403: the API key may not do this. */
export class PermissionError extends ApiError {
  override readonly name = 'PermissionError';
}

/** 404: there is no such thing, or it is somebody else's. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError';
}

/** 409: it does not go with how things stand, such as cancelling a job that has ended. */
export class ConflictError extends ApiError {
  override readonly name = 'ConflictError';
}

/** 422: it is understood, and cannot be done, such as a job of a user who has no Unix account. */
export class UnprocessableError extends ApiError {
  override readonly name = 'UnprocessableError';
}

/** 5xx: the fault is the server's, or of something in front of it. */
export class ServerError extends ApiError {
  override readonly name = 'ServerError';
}

const CLASS_OF_STATUS: Partial<Record<number, typeof ApiError>> = {
  400: InvalidRequestError,
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableError,
};

/** The error of the class that belongs to the status. */
export function apiError(details: ApiErrorDetails): ApiError {
  const Class = CLASS_OF_STATUS[details.status] ?? (details.status >= 500 ? ServerError : ApiError);
  return new Class(details);
}
