import { createHash } from 'node:crypto';

/** A host's public key, as it comes over the line, in the form in which `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** `ssh-ed25519`, `rsa-sha2-512` …: the first string of the key. */
export function keyTypeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return /^[\w@.-]{1,64}/.exec(key.subarray(4, 4 + length).toString('latin1'))?.[0] ?? 'unknown';
}

/** @throws TypeError where the text is no fingerprint, so that a mistake is noticed at start and not at the first command */
export function assertFingerprint(text: string): void {
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return;
  throw new TypeError(
    `"${text}" is no host key fingerprint; it is "SHA256:" and 43 characters, as "ssh-keygen -lf" and "ssh-keyscan HOST | ssh-keygen -lf -" show it`,
  );
}
