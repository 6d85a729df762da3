import { HttpStatus } from '@nestjs/common';
import type { ProblemCode } from '#core/vocabulary/problem';

/** The one place where a problem becomes a status. */
export const PROBLEM_STATUS: Record<ProblemCode, HttpStatus> = {
  invalid_request: HttpStatus.BAD_REQUEST,
  unauthenticated: HttpStatus.UNAUTHORIZED,
  forbidden: HttpStatus.FORBIDDEN,
  not_found: HttpStatus.NOT_FOUND,
  idempotency_key_reused: HttpStatus.CONFLICT,
  account_missing: HttpStatus.UNPROCESSABLE_ENTITY,
  account_refused: HttpStatus.UNPROCESSABLE_ENTITY,
  name_taken: HttpStatus.CONFLICT,
  dependency_missing: HttpStatus.CONFLICT,
  job_finished: HttpStatus.CONFLICT,
  operation_under_way: HttpStatus.CONFLICT,
  operation_finished: HttpStatus.CONFLICT,
  not_a_regular_file: HttpStatus.CONFLICT,
  not_ready: HttpStatus.SERVICE_UNAVAILABLE,
  kubernetes_unavailable: HttpStatus.SERVICE_UNAVAILABLE,
  payload_too_large: HttpStatus.PAYLOAD_TOO_LARGE,
  digest_mismatch: HttpStatus.UNPROCESSABLE_ENTITY,
  range_not_satisfiable: HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
  unsupported_media_type: HttpStatus.UNSUPPORTED_MEDIA_TYPE,
  internal: HttpStatus.INTERNAL_SERVER_ERROR,
};
