import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ManagedKey } from '#core/nodes/managed-key';

const KEY_TYPE = 'ssh-ed25519';

/** Padding is to a multiple of it where the key is not encrypted. */
const BLOCK_BYTES = 8;

const LINE_CHARACTERS = 70;

/**
 * A new ed25519 key pair in OpenSSH's format (PROTOCOL.key of OpenSSH), without a passphrase. `generateKeyPair` of ssh2
 * does the same, and one in 256 of its ed25519 keys is broken: it loses a zero at the beginning of the public half.
 * @param comment says in `authorized_keys` whose key it is
 * @throws TypeError where the comment is not one line
 */
export function generateManagedKey(comment: string): ManagedKey {
  if (/\p{Cc}/u.test(comment)) throw new TypeError("a key's comment is one line");
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicHalf = Buffer.from(x, 'base64url');
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(publicHalf)]);
  return {
    privateKey: privateKeyFile(publicBlob, Buffer.from(d, 'base64url'), publicHalf, comment),
    publicKeyLine: `${KEY_TYPE} ${publicBlob.toString('base64')} ${comment}`.trimEnd(),
  };
}

function privateKeyFile(publicBlob: Buffer, seed: Buffer, publicHalf: Buffer, comment: string): string {
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob,
    field(Buffer.concat([seed, publicHalf])),
    field(comment),
  ]);
  const padding = Buffer.from(
    Array.from({ length: -secret.length & (BLOCK_BYTES - 1) }, (_, index) => index + 1),
  );
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString('base64').match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

/** A string as SSH has it: its length in four bytes, then its bytes. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
