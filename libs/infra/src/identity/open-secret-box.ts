import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretBox } from '#core/nodes/secret-box';
import { AesSecretBox } from './aes-secret-box.ts';

const KEY_BYTES = 32;

/**
 * The box that seals secrets of this installation: with the keys that are given, else with one that is kept in
 * `secret.key` below `home` and made where it is missing. Of several processes that make it at once, one wins.
 * @throws TypeError where a key is none
 */
export async function openSecretBox(keys: readonly string[] | undefined, home: string): Promise<SecretBox> {
  return new AesSecretBox(keys ?? [await keptKey(join(home, 'secret.key'), home)]);
}

async function keptKey(file: string, home: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  const known = await readFile(file, 'utf8').catch(unlessMissing);
  if (known !== undefined) return known.trim();
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readFile(file, 'utf8')).trim();
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
