import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSecretBox } from './open-secret-box.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bramble-secrets-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it('makes a key once, whoever comes first, which only its owner can read', async () => {
  const boxes = await Promise.all(Array.from({ length: 8 }, () => openSecretBox(undefined, home)));
  const sealed = boxes.map((box, index) => box.seal(`secret ${index}`, 'test'));
  const later = await openSecretBox(undefined, home);
  expect(sealed.map((text) => later.open(text, 'test'))).toEqual(boxes.map((_, index) => `secret ${index}`));
  expect(await readdir(home)).toEqual(['secret.key']);
  expect((await stat(join(home, 'secret.key'))).mode & 0o777).toBe(0o600);
});

it('uses the keys that are given, and makes none', async () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const box = await openSecretBox([key], home);
  expect((await openSecretBox([key], home)).open(box.seal('s', 'test'), 'test')).toBe('s');
  expect(await readdir(home)).toEqual([]);
});
