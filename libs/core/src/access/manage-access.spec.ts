import { beforeEach, describe, expect, it } from 'vitest';
import { CountingIds, idOf } from '../../../../test/fakes/counting-ids.ts';
import { CountingKeyMaterial } from '../../../../test/fakes/counting-key-material.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryAccessStore } from '../../../../test/fakes/memory-access-store.ts';
import { newApiKeySchema } from './api-key.ts';
import { ManageAccess } from './manage-access.ts';
import { newUserSchema } from './user.ts';

const clock = new ManualClock();
let store: MemoryAccessStore;
let manage: ManageAccess;

beforeEach(() => {
  store = new MemoryAccessStore();
  manage = new ManageAccess(store, new CountingKeyMaterial(), new CountingIds(), clock);
});

describe('users', () => {
  it('are made with an account that nobody has looked up yet', async () => {
    const user = await manage.createUser({ name: 'alice', role: 'user', account: 'alice' });
    expect(user).toEqual({
      id: idOf('usr', 1),
      name: 'alice',
      role: 'user',
      account: { name: 'alice', status: 'unverified', message: null, uid: null },
      createdAt: clock.now().toISOString(),
    });
    await expect(manage.getUser(user.id)).resolves.toEqual(user);
    await expect(manage.listUsers()).resolves.toEqual([user]);
  });

  it('may have no account', async () => {
    await expect(manage.createUser({ name: 'bob', role: 'viewer' })).resolves.toMatchObject({
      account: null,
    });
  });

  it('do not share a name', async () => {
    await manage.createUser({ name: 'alice', role: 'user' });
    await expect(manage.createUser({ name: 'alice', role: 'admin' })).rejects.toMatchObject({
      code: 'name_taken',
      faults: [{ field: 'name' }],
    });
    await expect(manage.listUsers()).resolves.toHaveLength(1);
  });

  it('that are not there are not found', async () => {
    await expect(manage.getUser(idOf('usr', 9))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('keys', () => {
  const newUser = () => manage.createUser({ name: 'alice', role: 'user' });

  it('are shown once, and kept as a digest', async () => {
    const { id: user } = await newUser();
    const created = await manage.createKey({ user, label: 'laptop' });
    expect(created.key).toMatch(/^brk_[0-9a-z]{12}_[0-9A-Za-z_-]{43}$/);
    const { key, ...resource } = created;
    await expect(manage.listKeys(user)).resolves.toEqual([resource]);
    expect(JSON.stringify(await store.listKeys(undefined))).not.toContain(key.slice(-43));
  });

  it('keep their scopes and their end', async () => {
    const { id: user } = await newUser();
    const expiresAt = '2027-01-01T00:00:00.000Z';
    await expect(
      manage.createKey({ user, label: 'ci', scopes: ['jobs:read'], expiresAt }),
    ).resolves.toMatchObject({
      scopes: ['jobs:read'],
      expiresAt,
      revokedAt: null,
    });
  });

  it('are not made for users who are not there', async () => {
    await expect(manage.createKey({ user: idOf('usr', 9), label: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
      faults: [{ field: 'user' }],
    });
    await expect(manage.listKeys(undefined)).resolves.toEqual([]);
  });

  it('that could not be handed over never become valid', async () => {
    const { id: user } = await newUser();
    const announced: string[] = [];
    const announce = async (key: string) => {
      announced.push(key);
      throw new Error('no room on the disk');
    };
    await expect(manage.createKey({ user, label: 'x' }, announce)).rejects.toThrow('no room');
    expect(announced).toHaveLength(1);
    await expect(manage.listKeys(undefined)).resolves.toEqual([]);
  });

  it('stay on record when they are revoked, which may be done twice', async () => {
    const { id: user } = await newUser();
    const { id } = await manage.createKey({ user, label: 'x' });
    const revokedAt = clock.now().toISOString();
    await manage.revokeKey(id);
    clock.advance(1000);
    await manage.revokeKey(id);
    await expect(manage.listKeys(user)).resolves.toMatchObject([{ id, revokedAt }]);
    await expect(manage.revokeKey(idOf('key', 99))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are listed for one user, or for all', async () => {
    const alice = await newUser();
    const bob = await manage.createUser({ name: 'bob', role: 'user' });
    await manage.createKey({ user: alice.id, label: 'a' });
    await manage.createKey({ user: bob.id, label: 'b' });
    await expect(manage.listKeys(bob.id)).resolves.toMatchObject([{ label: 'b' }]);
    await expect(manage.listKeys(undefined)).resolves.toHaveLength(2);
  });
});

describe('newUserSchema', () => {
  it.each([
    { name: 'alice', role: 'user' },
    { name: 'alice@example.org', role: 'admin', account: 'alice' },
    { name: 'A.b_c-9', role: 'viewer', account: '_svc-1' },
  ])('takes %j', (body) => {
    expect(newUserSchema.parse(body)).toEqual(body);
  });

  it.each([
    ['root', { account: 'root' }],
    ['upper case', { account: 'Alice' }],
    ['an option', { account: '-u' }],
    ['a command', { account: 'a;id' }],
    ['a line end', { account: 'a\n' }],
    ['a number', { account: '1001' }],
    ['no account', { account: '' }],
    ['more than Linux takes', { account: 'a'.repeat(33) }],
    ['a name with white space', { name: 'a b' }],
    ['a name with markup', { name: '<b>' }],
    ['no name', { name: '' }],
    ['a name of a line', { name: 'a\n' }],
    ['an unknown role', { role: 'root' }],
    ['an unknown field', { uid: 0 }],
  ])('refuses %s', (_, fields) => {
    const refused = newUserSchema.safeParse({ name: 'alice', role: 'user', ...fields });
    expect(refused.success).toBe(false);
  });
});

describe('newApiKeySchema', () => {
  const body = { user: idOf('usr', 1), label: 'laptop' };

  it.each([{}, { scopes: ['jobs:read'] }, { expiresAt: '2027-01-01T00:00:00Z' }])('takes %j', (fields) => {
    expect(newApiKeySchema.parse({ ...body, ...fields })).toEqual({ ...body, ...fields });
  });

  it.each([
    { user: 'alice' },
    { label: '' },
    { label: 'a\nb' },
    { label: 'x'.repeat(101) },
    { scopes: [] },
    { scopes: ['everything'] },
    { expiresAt: 'tomorrow' },
    { expiresAt: '2027-01-01' },
    { secret: 'mine' },
  ])('refuses %j', (fields) => {
    expect(newApiKeySchema.safeParse({ ...body, ...fields }).success).toBe(false);
  });
});
