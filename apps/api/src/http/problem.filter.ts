import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { Problem, type ProblemCode } from '#core/vocabulary/problem';
import type { ProblemDocument } from './problem-document.ts';
import { PROBLEM_STATUS } from './problem-status.ts';
import type { IdentifiedRequest } from './request-id.ts';

/** Turns whatever was thrown into `application/problem+json`. What was not meant for the caller is only logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger(ProblemFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const problem = toProblem(thrown);
    if (problem.code === 'internal') this.#logger.error(thrown);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const status = PROBLEM_STATUS[problem.code];
    const document: ProblemDocument = {
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      code: problem.code,
      detail: problem.message,
      requestId: http.getRequest<IdentifiedRequest>().id,
      ...(problem.faults.length === 0 ? {} : { faults: [...problem.faults] }),
    };
    if (problem.code === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer');
    if (problem.code === 'not_ready') response.setHeader('Retry-After', '2');
    response.status(status).type('application/problem+json').send(JSON.stringify(document));
  }
}

const STATUS_PROBLEMS: Record<number, ProblemCode> = {
  400: 'invalid_request',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Errors of Nest and of Express's body parser carry a status; theirs below 500 are the caller's to know. */
function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  const code = status === undefined ? undefined : STATUS_PROBLEMS[status];
  if (code !== undefined && thrown instanceof Error)
    return new Problem(code, thrown.message, { cause: thrown });
  return new Problem('internal', 'Something went wrong on our side; the request id finds it in the logs.');
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number')
    return thrown.status;
  return undefined;
}
