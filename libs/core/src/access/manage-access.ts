import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { AccessStore, KeyMaterial } from './access-store.ts';
import {
  type ApiKey,
  type ApiKeyResource,
  type CreatedApiKey,
  formatApiKey,
  type NewApiKey,
  toApiKeyResource,
} from './api-key.ts';
import { type NewUser, toUserResource, type User, type UserResource } from './user.ts';

export class ManageAccess {
  readonly #store: AccessStore;
  readonly #material: KeyMaterial;
  readonly #ids: IdGenerator;
  readonly #clock: Clock;

  constructor(store: AccessStore, material: KeyMaterial, ids: IdGenerator, clock: Clock) {
    this.#store = store;
    this.#material = material;
    this.#ids = ids;
    this.#clock = clock;
  }

  /** @throws Problem `name_taken` */
  async createUser(request: NewUser): Promise<UserResource> {
    const user: User = {
      id: this.#ids.next('usr'),
      name: request.name,
      role: request.role,
      account: request.account ?? null,
      accountStatus: 'unverified',
      accountMessage: null,
      accountUid: null,
      createdAt: this.#clock.now(),
    };
    if (await this.#store.insertUser(user)) return toUserResource(user);
    throw new Problem('name_taken', `There is a user named "${request.name}" already.`, {
      faults: [{ field: 'name', message: 'is taken' }],
    });
  }

  async listUsers(): Promise<UserResource[]> {
    return (await this.#store.listUsers()).map(toUserResource);
  }

  /** @throws Problem `not_found` */
  async getUser(id: string): Promise<UserResource> {
    const user = await this.#store.findUser(id);
    if (user === undefined) throw notFound('user', id);
    return toUserResource(user);
  }

  /**
   * @param announce told the key before it is valid, so that a key which could not be handed over never works
   * @throws Problem `invalid_request` where there is no such user
   */
  async createKey(request: NewApiKey, announce?: (key: string) => Promise<void>): Promise<CreatedApiKey> {
    if ((await this.#store.findUser(request.user)) === undefined) {
      throw new Problem('invalid_request', 'The key cannot be made.', {
        faults: [{ field: 'user', message: 'is not the id of a user' }],
      });
    }
    const prefix = this.#material.newPrefix();
    const secret = formatApiKey(prefix, this.#material.newSecret());
    const key: ApiKey = {
      id: this.#ids.next('key'),
      userId: request.user,
      label: request.label,
      prefix,
      sha256: this.#material.sha256(secret),
      scopes: request.scopes ?? null,
      createdAt: this.#clock.now(),
      expiresAt: request.expiresAt === undefined ? null : new Date(request.expiresAt),
      revokedAt: null,
    };
    await announce?.(secret);
    await this.#store.insertKey(key);
    return { ...toApiKeyResource(key), key: secret };
  }

  async listKeys(userId: string | undefined): Promise<ApiKeyResource[]> {
    return (await this.#store.listKeys(userId)).map(toApiKeyResource);
  }

  /** A revoked key stays on record; revoking it again changes nothing. @throws Problem `not_found` */
  async revokeKey(id: string): Promise<void> {
    if (!(await this.#store.revokeKey(id, this.#clock.now()))) throw notFound('API key', id);
  }
}
