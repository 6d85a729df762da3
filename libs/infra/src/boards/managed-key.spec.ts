import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { generateManagedKey } from './managed-key.ts';

it('makes pairs that belong together, however long the comment is', () => {
  // Broken keys would be one in 256 where a zero at the beginning is lost.
  for (let round = 0; round < 1_000; round += 1) {
    const comment = 'bramble@head'.slice(0, round % 13);
    const { privateKey, publicKeyLine } = generateManagedKey(comment);
    const privateHalf = ssh2.utils.parseKey(privateKey);
    const publicHalf = ssh2.utils.parseKey(publicKeyLine);
    if (privateHalf instanceof Error) throw privateHalf;
    if (publicHalf instanceof Error) throw publicHalf;
    expect(privateHalf.isPrivateKey()).toBe(true);
    expect(privateHalf.comment).toBe(comment);
    expect(publicHalf.getPublicSSH().equals(privateHalf.getPublicSSH())).toBe(true);
    expect(publicHalf.verify('x', privateHalf.sign('x'))).toBe(true);
  }
});

it('writes one line for authorized_keys', () => {
  expect(generateManagedKey('bramble of the head').publicKeyLine).toMatch(
    /^ssh-ed25519 [A-Za-z0-9+/]{68} bramble of the head$/,
  );
  expect(() => generateManagedKey('a\nssh-ed25519 AAAA')).toThrow(TypeError);
});
