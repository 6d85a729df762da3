/**
 * Everything that can go wrong for a caller, by stable code. Codes are part of the API: they are never renamed.
 * The one place that knows HTTP maps them to a status.
 */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'idempotency_key_reused'
  | 'account_missing'
  | 'account_refused'
  | 'name_taken'
  | 'job_finished'
  | 'dependency_missing'
  | 'operation_under_way'
  | 'operation_finished'
  | 'not_a_regular_file'
  | 'not_ready'
  | 'kubernetes_unavailable'
  | 'payload_too_large'
  | 'digest_mismatch'
  | 'range_not_satisfiable'
  | 'unsupported_media_type'
  | 'internal';

/** One faulty field: where it stands in the request, what is wrong with it and what would be right. */
export interface FieldFault {
  /** Path in the request, for example `inputs[0].path` or `query.limit`. */
  field: string;
  message: string;
}

/** An error whose message is meant for the caller. Anything else that is thrown becomes `internal`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly faults: readonly FieldFault[];

  constructor(
    code: ProblemCode,
    message: string,
    options: { faults?: readonly FieldFault[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.faults = options.faults ?? [];
  }
}

/** Also what is said of a resource that exists but belongs to somebody else: its existence is not given away. */
export function notFound(what: string, id: string): Problem {
  return new Problem('not_found', `There is no ${what} "${id}".`);
}
