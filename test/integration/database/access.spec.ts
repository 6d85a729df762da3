import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Authenticate } from '#core/access/authenticate';
import { ManageAccess } from '#core/access/manage-access';
import type { User } from '#core/access/user';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { TypeormAccessStore } from '../../../libs/infra/src/database/typeorm-access-store.ts';
import { keyMaterial } from '../../../libs/infra/src/identity/key-material.ts';
import { systemClock } from '../../../libs/infra/src/identity/system-clock.ts';
import { typeIdGenerator } from '../../../libs/infra/src/identity/type-id-generator.ts';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';

const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 1) + milliseconds);
const log = () => {};

let database: FreshDatabase;
let dataSource: DataSource;
let store: TypeormAccessStore;

beforeAll(async () => {
  database = await freshMigratedDatabase();
  dataSource = await openDatabase({ url: database.url, poolSize: 4, log });
  store = new TypeormAccessStore(dataSource);
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

beforeEach(async () => {
  await dataSource.query('TRUNCATE users CASCADE');
});

function user(given: Partial<User> = {}): User {
  return {
    id: typeIdGenerator.next('usr'),
    name: 'alice',
    role: 'user',
    account: 'alice',
    accountStatus: 'unverified',
    accountMessage: null,
    accountUid: null,
    createdAt: at(5),
    ...given,
  };
}

describe('users', () => {
  it('are kept as they were given', async () => {
    const alice = user();
    const admin = user({ name: 'admin', role: 'admin', account: null, createdAt: at(1) });
    expect(await store.insertUser(alice)).toBe(true);
    expect(await store.insertUser(admin)).toBe(true);
    expect(await store.findUser(alice.id)).toEqual(alice);
    expect(await store.findUser('usr_none')).toBeUndefined();
    expect(await store.listUsers()).toEqual([admin, alice]);
  });

  it('have a name of their own, also where ten race for it', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => store.insertUser(user())));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  it('are verified when they never were, or not for a while, and have an account', async () => {
    const [fresh, stale, never] = [user({ name: 'a' }), user({ name: 'b' }), user({ name: 'c' })];
    for (const one of [fresh, stale, never, user({ name: 'd', account: null })]) await store.insertUser(one);
    await store.recordAccount(fresh.id, 'verified', { message: null, uid: 4_294_967_294, at: at(100) });
    await store.recordAccount(stale.id, 'absent', { message: 'There is none.', uid: null, at: at(10) });
    expect((await store.usersToVerify(at(50), 10)).map(({ name }) => name)).toEqual(['c', 'b']);
    expect((await store.usersToVerify(at(50), 1)).map(({ name }) => name)).toEqual(['c']);
    expect(await store.findUser(fresh.id)).toMatchObject({
      accountStatus: 'verified',
      accountUid: 4_294_967_294,
    });
    expect(await store.findUser(stale.id)).toMatchObject({
      accountStatus: 'absent',
      accountMessage: 'There is none.',
      accountUid: null,
    });
  });
});

describe('keys', () => {
  it('are found by their prefix together with the user', async () => {
    const alice = user();
    await store.insertUser(alice);
    const key = {
      id: typeIdGenerator.next('key'),
      userId: alice.id,
      label: 'laptop',
      prefix: keyMaterial.newPrefix(),
      sha256: keyMaterial.sha256('secret'),
      scopes: ['jobs:read' as const],
      createdAt: at(6),
      expiresAt: at(7),
      revokedAt: null,
    };
    await store.insertKey(key);
    expect(await store.findKeyByPrefix(key.prefix)).toEqual({ key, user: alice });
    expect(await store.findKeyByPrefix('aaaaaaaaaaaa')).toBeUndefined();
    expect(await store.listKeys(alice.id)).toEqual([key]);
    expect(await store.listKeys(undefined)).toEqual([key]);
    expect(await store.listKeys('usr_none')).toEqual([]);
  });

  it('open the door until they are revoked, and keep the first time of that', async () => {
    const access = new ManageAccess(store, keyMaterial, typeIdGenerator, systemClock);
    const authenticate = new Authenticate(store, keyMaterial, systemClock);
    const { id } = await access.createUser({ name: 'bob', role: 'viewer' });
    const { id: keyId, key } = await access.createKey({ user: id, label: 'ci' });
    expect(await authenticate.byApiKey(key)).toMatchObject({ userName: 'bob', keyId });
    await expect(authenticate.byApiKey(`${key.slice(0, -1)}_`)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    expect(await store.revokeKey(keyId, at(1))).toBe(true);
    expect(await store.revokeKey(keyId, at(2))).toBe(true);
    expect(await store.revokeKey('key_none', at(2))).toBe(false);
    expect((await store.listKeys(id))[0]?.revokedAt).toEqual(at(1));
    await expect(authenticate.byApiKey(key)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
