import type { NewUser, User } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

/** Users and the Unix accounts that their jobs run as. For admins. */
export class Users {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws ConflictError where the name is taken */
  create(user: NewUser, { signal }: CallOptions = {}): Promise<User> {
    return this.#transport.json({
      method: 'POST',
      path: '/v1/admin/users',
      headers: { 'Content-Type': 'application/json' },
      body: () => JSON.stringify(user),
      repeatable: false,
      signal,
    });
  }

  async list({ signal }: CallOptions = {}): Promise<User[]> {
    const request = { method: 'GET', path: '/v1/admin/users', repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: User[] }>(request)).items;
  }

  /** @throws NotFoundError */
  get(id: string, { signal }: CallOptions = {}): Promise<User> {
    const path = requestPath('v1', 'admin', 'users', id);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }
}
