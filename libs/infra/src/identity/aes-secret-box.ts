import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { SecretBox } from '#core/nodes/secret-box';

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_CHARACTERS = 8;

/**
 * Seals with AES-256-GCM, the purpose as additional data. A sealed text is `v1.<key id>.<nonce>.<ciphertext and tag>`, the
 * last two in base64url; the key id is the beginning of the key's SHA-256, in hex.
 */
export class AesSecretBox implements SecretBox {
  readonly #currentId: string;
  readonly #keys: ReadonlyMap<string, Buffer>;

  /**
   * @param keys 32 bytes each, in base64. The first one seals; the others only open what was sealed when they were first
   * @throws TypeError where there is none, or one is no such key; the message does not show it
   */
  constructor(keys: readonly string[]) {
    const byId = keys.map((text, index): [string, Buffer] => {
      const key = readKey(text, index);
      return [keyIdOf(key), key];
    });
    const [current] = byId;
    if (current === undefined) throw new TypeError('there is no key to seal secrets with');
    this.#currentId = current[0];
    this.#keys = new Map(byId);
  }

  seal(secret: string, purpose: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key(this.#currentId), nonce, {
      authTagLength: TAG_BYTES,
    }).setAAD(Buffer.from(purpose, 'utf8'));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [VERSION, this.#currentId, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
  }

  open(text: string, purpose: string): string {
    const [version, keyId = '', nonceText = '', sealedText = '', ...more] = text.split('.');
    const nonce = readBase64url(nonceText);
    const sealed = readBase64url(sealedText);
    if (
      version !== VERSION ||
      more.length > 0 ||
      !/^[0-9a-f]{8}$/.test(keyId) ||
      nonce?.length !== NONCE_BYTES ||
      sealed === undefined ||
      sealed.length < TAG_BYTES
    ) {
      throw new Error('this is no sealed secret');
    }
    const decipher = createDecipheriv(ALGORITHM, this.#key(keyId), nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(purpose, 'utf8'))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString(
        'utf8',
      );
    } catch {
      throw new Error('this secret was changed, or sealed for another purpose');
    }
  }

  isStale(sealed: string): boolean {
    return !sealed.startsWith(`${VERSION}.${this.#currentId}.`);
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key === undefined)
      throw new Error(`this secret was sealed with the key ${id}, which is not configured`);
    return key;
  }
}

function readKey(text: string, index: number): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES && key.toString('base64') === text) return key;
  throw new TypeError(
    `secret key ${index + 1} is not ${KEY_BYTES} bytes in base64, as "openssl rand -base64 ${KEY_BYTES}" prints them`,
  );
}

const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_CHARACTERS);

/** @returns undefined for anything that is not what base64url makes of bytes: one secret has one text */
function readBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
