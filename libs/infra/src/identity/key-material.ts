import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { KeyMaterial } from '#core/access/access-store';

const PREFIX_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const PREFIX_LENGTH = 12;
const SECRET_BYTES = 32;

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** Secrets from the operating system's random source. */
export const keyMaterial: KeyMaterial = {
  newPrefix: () =>
    Array.from({ length: PREFIX_LENGTH }, () =>
      PREFIX_ALPHABET.charAt(randomInt(PREFIX_ALPHABET.length)),
    ).join(''),
  newSecret: () => randomBytes(SECRET_BYTES).toString('base64url'),
  sha256: (text) => sha256(text).toString('hex'),
  // The digests have one length, which the comparison needs, and hide the length of the texts.
  equal: (a, b) => timingSafeEqual(sha256(a), sha256(b)),
};
