import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { problemDocumentSchema } from '../http/problem-document.ts';

const DESCRIPTIONS: Record<number, string> = {
  200: 'The answer.',
  201: 'It was made.',
  202: 'It was accepted and will be done; watch the resource.',
  204: 'Done; there is nothing to say.',
  304: 'Nothing has changed since the ETag that was sent.',
  400: 'The request is not right; `faults` names every field.',
  401: 'The API key is missing or not valid.',
  403: 'The key may not do this.',
  404: "There is no such thing, or it is somebody else's.",
  409: 'It does not go with how things stand; `code` says why.',
  413: 'It is larger than is allowed.',
  416: 'The range lies outside of the file.',
  422: 'It is understood, and cannot be done; `code` says why.',
  503: 'What this needs is not there at the moment; `Retry-After`, where it is given, says when to try again.',
};

const describe = (status: number): string => DESCRIPTIONS[status] ?? String(status);

/** Documents what a route that needs a key answers: one success and its problems. 401 and 403 are always among them. */
export function Answers(
  status: number,
  schema: z.ZodType | undefined,
  problems: readonly number[] = [],
): MethodDecorator {
  return applyDecorators(
    ApiBearerAuth(),
    ApiResponse({
      status,
      description: describe(status),
      ...(schema === undefined ? {} : { standardSchema: schema }),
    }),
    ...AnswersProblems([401, 403, ...problems]),
  );
}

/** Documents further statuses with a problem document. */
export function AnswersProblems(statuses: readonly number[]): MethodDecorator[] {
  return statuses.map((status) =>
    ApiResponse({ status, description: describe(status), standardSchema: problemDocumentSchema }),
  );
}
