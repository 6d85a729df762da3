import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Authenticate } from '#core/access/authenticate';
import { demandAny } from '#core/access/caller';
import { Problem } from '#core/vocabulary/problem';
import type { IdentifiedRequest } from '../http/request-id.ts';
import { Requires } from './requires.ts';

/** Lets a request pass whose key has the permission that the route demands. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #authenticate: Authenticate;

  constructor(@Inject(Reflector) reflector: Reflector, @Inject(Authenticate) authenticate: Authenticate) {
    this.#reflector = reflector;
    this.#authenticate = authenticate;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const required = this.#reflector.getAllAndOverride(Requires, [context.getHandler(), context.getClass()]);
    if (required === 'public') return true;
    const request = context.switchToHttp().getRequest<IdentifiedRequest>();
    const caller = await this.#authenticate.byApiKey(bearerToken(request.headers.authorization));
    demandAny(caller, typeof required === 'string' ? [required] : required);
    request.caller = caller;
    return true;
  }
}

function bearerToken(header: string | undefined): string {
  const token = /^Bearer ([^\s]+)$/i.exec(header ?? '')?.[1];
  if (token !== undefined) return token;
  throw new Problem('unauthenticated', 'Sign in with an API key: send "Authorization: Bearer brk_…".');
}
