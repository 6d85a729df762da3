import type { Clock } from '../vocabulary/clock.ts';
import { Problem } from '../vocabulary/problem.ts';
import type { AccessStore, KeyMaterial } from './access-store.ts';
import { apiKeyPrefix } from './api-key.ts';
import type { Caller } from './caller.ts';
import { permissionsOf } from './permissions.ts';

/** Turns an API key into a caller. Why a key was refused is not told: it would help nobody but a guesser. */
export class Authenticate {
  readonly #store: AccessStore;
  readonly #material: KeyMaterial;
  readonly #clock: Clock;

  constructor(store: AccessStore, material: KeyMaterial, clock: Clock) {
    this.#store = store;
    this.#material = material;
    this.#clock = clock;
  }

  /** @throws Problem `unauthenticated` */
  async byApiKey(apiKey: string): Promise<Caller> {
    const prefix = apiKeyPrefix(apiKey);
    const found = prefix === undefined ? undefined : await this.#store.findKeyByPrefix(prefix);
    if (found === undefined || !this.#material.equal(found.key.sha256, this.#material.sha256(apiKey)))
      throw refused();
    const { key, user } = found;
    if (key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= this.#clock.now()))
      throw refused();
    return {
      userId: user.id,
      userName: user.name,
      role: user.role,
      keyId: key.id,
      permissions: permissionsOf(user.role, key.scopes),
    };
  }
}

const refused = () =>
  new Problem(
    'unauthenticated',
    'The API key is missing, unknown, expired or revoked. Send "Authorization: Bearer brk_…".',
  );
