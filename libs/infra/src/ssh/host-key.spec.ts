import { expect, it } from 'vitest';
import { assertFingerprint, fingerprintOf, keyTypeOf } from './host-key.ts';

const KEY = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64');

it('shows a key as ssh-keygen does', () => {
  expect(fingerprintOf(KEY)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  expect(keyTypeOf(KEY)).toBe('ssh-ed25519');
});

it.each([Buffer.alloc(0), Buffer.from([0, 0]), Buffer.from([255, 255, 255, 255, 1, 2])])(
  'reads no type from a broken key',
  (key) => {
    expect(keyTypeOf(key)).toBe('unknown');
  },
);

it.each([
  '',
  'SHA256:',
  'MD5:16:27:ac',
  '+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
  'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU=',
])('refuses "%s" as a fingerprint', (text) => {
  expect(() => assertFingerprint(text)).toThrow(TypeError);
});
