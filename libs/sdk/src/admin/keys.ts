import type { ApiKeyResource, CreatedApiKey, NewApiKey } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface KeyQuery extends CallOptions {
  /** Only the keys of the user with this id. */
  user?: string | undefined;
}

/** API keys. For admins. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a key. The answer holds the key itself, this once. */
  create(key: NewApiKey, { signal }: CallOptions = {}): Promise<CreatedApiKey> {
    return this.#transport.json({
      method: 'POST',
      path: '/v1/admin/keys',
      headers: { 'Content-Type': 'application/json' },
      body: () => JSON.stringify(key),
      repeatable: false,
      signal,
    });
  }

  async list({ user, signal }: KeyQuery = {}): Promise<ApiKeyResource[]> {
    const request = {
      method: 'GET',
      path: '/v1/admin/keys',
      query: { user },
      repeatable: true,
      signal,
    } as const;
    return (await this.#transport.json<{ items: ApiKeyResource[] }>(request)).items;
  }

  /** @throws NotFoundError */
  revoke(id: string, { signal }: CallOptions = {}): Promise<void> {
    const path = requestPath('v1', 'admin', 'keys', id);
    return this.#transport.nothing({ method: 'DELETE', path, repeatable: false, signal });
  }
}
