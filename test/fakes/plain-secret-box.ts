import type { SecretBox } from '#core/nodes/secret-box';

/** Keeps secrets legible, but apart by their purpose. */
export const plainSecretBox: SecretBox = {
  seal: (secret, purpose) => `${purpose}|${secret}`,
  open: (sealed, purpose) => {
    if (!sealed.startsWith(`${purpose}|`)) throw new Error('sealed for another purpose');
    return sealed.slice(purpose.length + 1);
  },
  isStale: () => false,
};
