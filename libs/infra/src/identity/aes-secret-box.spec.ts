import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AesSecretBox } from './aes-secret-box.ts';

const newKey = () => randomBytes(32).toString('base64');
const KEY = newKey();
const SECRET = 'correct horse battery staple';
const PURPOSE = 'board:brd_1:sign-in';

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('nothing was thrown');
}

describe('AesSecretBox', () => {
  it.each(['', SECRET, 'ä€😀\n\0', 'x'.repeat(100_000)])('opens what it has sealed', (secret) => {
    const box = new AesSecretBox([KEY]);
    expect(box.open(box.seal(secret, PURPOSE), PURPOSE)).toBe(secret);
  });

  it('names the version and the key, and never seals the same twice', () => {
    const box = new AesSecretBox([KEY]);
    const keyId = createHash('sha256').update(Buffer.from(KEY, 'base64')).digest('hex').slice(0, 8);
    const sealed = box.seal(SECRET, PURPOSE);
    expect(sealed).toMatch(new RegExp(`^v1\\.${keyId}\\.[\\w-]{16}\\.[\\w-]+$`));
    expect(box.seal(SECRET, PURPOSE)).not.toBe(sealed);
  });

  it('opens nothing for another purpose', () => {
    const box = new AesSecretBox([KEY]);
    const message = messageOf(() => box.open(box.seal(SECRET, PURPOSE), 'board:brd_2:sign-in'));
    expect(message).toContain('another purpose');
    expect(message).not.toContain(SECRET);
  });

  it('opens nothing that was changed, in whichever character', () => {
    const box = new AesSecretBox([KEY]);
    const sealed = box.seal(SECRET, PURPOSE);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      expect(messageOf(() => box.open(changed, PURPOSE))).not.toContain(SECRET);
      expect(() => box.open(sealed.slice(0, index), PURPOSE)).toThrow();
    }
    expect(() => box.open(`${sealed}.`, PURPOSE)).toThrow('no sealed secret');
  });

  it.each([SECRET, '', 'v1', 'v1...', 'v2.00000000.AAAA.AAAA'])(
    'does not show "%s", which is none',
    (text) => {
      expect(messageOf(() => new AesSecretBox([KEY]).open(text, PURPOSE))).toBe('this is no sealed secret');
    },
  );

  it('seals with the first key, opens with every one, and knows what is to be sealed again', () => {
    const sealedBefore = new AesSecretBox([KEY]).seal(SECRET, PURPOSE);
    const rotated = new AesSecretBox([newKey(), KEY]);
    expect(rotated.open(sealedBefore, PURPOSE)).toBe(SECRET);
    expect(rotated.isStale(sealedBefore)).toBe(true);
    expect(rotated.isStale(rotated.seal(SECRET, PURPOSE))).toBe(false);
  });

  it('says which key is missing', () => {
    const sealed = new AesSecretBox([KEY]).seal(SECRET, PURPOSE);
    const message = messageOf(() => new AesSecretBox([newKey()]).open(sealed, PURPOSE));
    expect(message).toContain(sealed.split('.')[1]);
    expect(message).not.toContain(KEY);
  });

  it.each([
    ['too short', randomBytes(31).toString('base64')],
    ['too long', randomBytes(33).toString('base64')],
    ['hexadecimal', randomBytes(32).toString('hex')],
    ['a line', `${KEY}\n`],
  ])('takes no key that is %s, and does not show it', (_, key) => {
    const message = messageOf(() => new AesSecretBox([KEY, key]));
    expect(message).toContain('secret key 2');
    expect(message).not.toContain(key.trim());
  });

  it('needs a key', () => {
    expect(() => new AesSecretBox([])).toThrow(TypeError);
  });
});
