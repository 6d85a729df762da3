import { beforeEach, describe, expect, it } from 'vitest';
import { CountingIds } from '../../../../test/fakes/counting-ids.ts';
import { CountingKeyMaterial } from '../../../../test/fakes/counting-key-material.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryAccessStore } from '../../../../test/fakes/memory-access-store.ts';
import { apiKeyPrefix, formatApiKey } from './api-key.ts';
import { Authenticate } from './authenticate.ts';
import { ManageAccess } from './manage-access.ts';
import type { Permission } from './permissions.ts';

const clock = new ManualClock();
let store: MemoryAccessStore;
let manage: ManageAccess;
let authenticate: Authenticate;

beforeEach(() => {
  store = new MemoryAccessStore();
  const material = new CountingKeyMaterial();
  manage = new ManageAccess(store, material, new CountingIds(), clock);
  authenticate = new Authenticate(store, material, clock);
});

async function newKey(options: { expiresAt?: string; scopes?: Permission[] } = {}) {
  const user = await manage.createUser({ name: 'alice', role: 'user', account: 'alice' });
  return { user, key: await manage.createKey({ user: user.id, label: 'laptop', ...options }) };
}

const isRefused = async (key: string) => {
  await expect(authenticate.byApiKey(key)).rejects.toMatchObject({
    name: 'Problem',
    code: 'unauthenticated',
  });
};

describe('Authenticate', () => {
  it('answers who is calling, and what they may', async () => {
    const { user, key } = await newKey();
    const caller = await authenticate.byApiKey(key.key);
    expect(caller).toMatchObject({ userId: user.id, userName: 'alice', role: 'user', keyId: key.id });
    expect([...caller.permissions].sort()).toEqual([
      'artifacts:read',
      'artifacts:write',
      'jobs:read',
      'jobs:write',
      'nodes:read',
      'services:read',
    ]);
  });

  it('cuts the permissions down to the scopes of the key', async () => {
    const { key } = await newKey({ scopes: ['jobs:read', 'access:manage'] });
    expect([...(await authenticate.byApiKey(key.key)).permissions]).toEqual(['jobs:read']);
  });

  it('refuses a key from the moment on at which it expires', async () => {
    const { key } = await newKey({ expiresAt: clock.in(1000).toISOString() });
    clock.advance(999);
    await expect(authenticate.byApiKey(key.key)).resolves.toMatchObject({ keyId: key.id });
    clock.advance(1);
    await isRefused(key.key);
  });

  it('refuses a key that was revoked', async () => {
    const { key } = await newKey();
    await manage.revokeKey(key.id);
    await isRefused(key.key);
  });

  it('refuses another secret with the right prefix', async () => {
    const { key } = await newKey();
    await isRefused(formatApiKey(key.prefix, 'x'.repeat(43)));
    await isRefused(`${key.key.slice(0, -1)}X`);
  });

  it('refuses the right secret with another prefix', async () => {
    const { key } = await newKey();
    await isRefused(key.key.replace(key.prefix, 'zzzzzzzzzzzz'));
  });

  it('refuses the digest that is kept, should it leak', async () => {
    const { key } = await newKey();
    const sha256 = (await store.findKeyByPrefix(key.prefix))?.key.sha256 ?? '';
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    await isRefused(sha256);
    await isRefused(formatApiKey(key.prefix, sha256.slice(0, 43)));
  });

  it.each([
    '',
    'brk_',
    'brk__',
    'Bearer x',
    'brk_0_s',
    "brk_' or 1=1--_x",
    'x'.repeat(10_000),
    'brk_\0',
    'ключ',
  ])('refuses %j, which is no key, without a look into the database', async (text) => {
    store.findKeyByPrefix = () => Promise.reject(new Error('the database was asked'));
    await isRefused(text);
  });

  it('refuses a key with anything before or behind it', async () => {
    const { key } = await newKey();
    for (const text of [` ${key.key}`, `${key.key} `, `${key.key}\n`, key.key.toUpperCase(), `x${key.key}`])
      await isRefused(text);
  });

  it('says the same of every refusal, so that nobody can guess', async () => {
    const { key } = await newKey();
    const messages = new Set<string>();
    for (const text of [
      '',
      formatApiKey(key.prefix, 'x'.repeat(43)),
      formatApiKey('z'.repeat(12), 'x'.repeat(43)),
    ]) {
      await authenticate.byApiKey(text).catch((error: unknown) => messages.add(String(error)));
    }
    expect(messages.size).toBe(1);
  });
});

describe('apiKeyPrefix', () => {
  it('finds the prefix of what formatApiKey makes', () => {
    expect(apiKeyPrefix(formatApiKey('0123456789ab', `${'A'.repeat(41)}_-`))).toBe('0123456789ab');
  });
});
