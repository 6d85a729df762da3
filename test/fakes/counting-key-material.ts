import { createHash } from 'node:crypto';
import type { KeyMaterial } from '#core/access/access-store';

/** Secrets that nobody should use: they are the same in every run. */
export class CountingKeyMaterial implements KeyMaterial {
  #made = 0;

  newPrefix(): string {
    this.#made += 1;
    return String(this.#made).padStart(12, '0');
  }

  newSecret(): string {
    this.#made += 1;
    return String(this.#made).padStart(43, 's');
  }

  sha256(text: string): string {
    return createHash('sha256').update(text).digest('hex');
  }

  equal(a: string, b: string): boolean {
    return a === b;
  }
}
