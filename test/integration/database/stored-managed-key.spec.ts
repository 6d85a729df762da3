import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generateManagedKey } from '#infra/boards/managed-key';
import { openDatabase } from '#infra/database/data-source';
import { storedManagedKey } from '#infra/database/stored-managed-key';
import { AesSecretBox } from '#infra/identity/aes-secret-box';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';

let database: FreshDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await freshMigratedDatabase();
  dataSource = await openDatabase({ url: database.url, poolSize: 8, log: () => {} });
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it('is made once, whoever comes first, and is kept sealed', async () => {
  const secrets = new AesSecretBox([Buffer.alloc(32, 1).toString('base64')]);
  const ports = { secrets, generate: () => generateManagedKey('bramble'), now: () => new Date() };
  const keys = await Promise.all(Array.from({ length: 8 }, () => storedManagedKey(dataSource, ports)));
  expect(new Set(keys.map(({ publicKeyLine }) => publicKeyLine)).size).toBe(1);
  const [first] = keys;
  await expect(storedManagedKey(dataSource, ports)).resolves.toEqual(first);
  const rows: unknown = await dataSource.query('SELECT * FROM managed_keys');
  expect(JSON.stringify(rows)).not.toContain(first?.privateKey.split('\n')[1]);
});

it('is sealed anew where an older key has sealed it', async () => {
  const [newest, oldest] = [2, 1].map((byte) => Buffer.alloc(32, byte).toString('base64'));
  const open = (...keys: (string | undefined)[]) =>
    storedManagedKey(dataSource, {
      secrets: new AesSecretBox(keys.filter((key) => key !== undefined)),
      generate: () => generateManagedKey('bramble'),
      now: () => new Date(),
    });
  const before = await open(oldest);
  expect(await open(newest, oldest)).toEqual(before);
  expect(await open(newest)).toEqual(before);
  await expect(open(oldest)).rejects.toThrow();
});
