import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '#core/access/caller';
import type { IdentifiedRequest } from '../http/request-id.ts';

/** The caller that the guard has let pass. Not for public routes. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<IdentifiedRequest>();
  if (caller === undefined) throw new Error('a public route has no caller');
  return caller;
});
