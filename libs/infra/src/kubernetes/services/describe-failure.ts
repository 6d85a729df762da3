import { describeCallFailure } from '../kubernetes-failure.ts';
import { ApiRefusal, readStatus } from './api-refusal.ts';
import { describeMissingRight } from './describe-missing-right.ts';
import { missingRightIn } from './missing-right.ts';

/** Why the API server could not be asked, in words for an admin, with the right that is missing. */
export function describeFailure(server: string, error: unknown): string {
  if (error instanceof ApiRefusal && error.code === 403) {
    const { message } = readStatus(error.body);
    const missing = missingRightIn(message);
    return `The API server ${server} does not allow it (403): ${missing === undefined ? message : describeMissingRight(missing)}`;
  }
  return describeCallFailure(server, error).message;
}
