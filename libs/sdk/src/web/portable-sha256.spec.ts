import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { PortableSha256 } from './portable-sha256.ts';

const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

it('gives the digests of FIPS 180-4', () => {
  const hash = new PortableSha256();
  hash.update(new TextEncoder().encode('abc'));
  expect(hash.hex()).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('agrees with OpenSSL at every length around a block, however the content is cut', () => {
  const content = randomBytes(400);
  for (let length = 0; length <= content.length; length += 1) {
    const hash = new PortableSha256();
    const cut = Math.floor(length / 3);
    hash.update(content.subarray(0, cut));
    hash.update(content.subarray(cut, length));
    expect(hash.hex()).toBe(expected(content.subarray(0, length)));
  }
});

it('agrees with OpenSSL about some megabytes', () => {
  const content = randomBytes(3_000_000);
  const hash = new PortableSha256();
  for (let at = 0; at < content.length; at += 65_536) hash.update(content.subarray(at, at + 65_536));
  expect(hash.hex()).toBe(expected(content));
});
