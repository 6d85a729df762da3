/** Keeps secrets at rest. What is sealed can be opened only with the key of this installation, and for the same purpose. */
export interface SecretBox {
  /** @param purpose what the secret is for, such as `board:brd_…:sign-in`; a sealed text does not open under another */
  seal(secret: string, purpose: string): string;
  /** @throws Error where it was sealed with a key that is not configured any more, or was changed */
  open(sealed: string, purpose: string): string;
  /** Whether it was sealed with another key than the current one, and should be sealed again. */
  isStale(sealed: string): boolean;
}
