import type { SecretBox } from '#core/nodes/secret-box';

/** Keeps secrets legible. Seals with the first of its keys, and opens with all of them. */
export const keyedSecretBox = (...keys: string[]): SecretBox => ({
  seal: (secret, purpose) => `${keys[0]}|${purpose}|${secret}`,
  open: (sealed, purpose) => {
    const key = keys.find((one) => sealed.startsWith(`${one}|${purpose}|`));
    if (key === undefined) throw new Error('none of the keys has sealed it');
    return sealed.slice(`${key}|${purpose}|`.length);
  },
  isStale: (sealed) => !sealed.startsWith(`${keys[0]}|`),
});
