import { ConfigurationError } from '../errors/bramble-error.ts';

/** How deep an error is looked through; deeper ones count as showing the key. */
const DEEPEST = 6;

/** An API key that shows itself in one place only: the header that it is for. */
export class ApiKey {
  readonly #key: string;

  /** @throws ConfigurationError where the key could not stand in a header; the message leaves it out */
  constructor(key: string) {
    const trimmed = key.trim();
    if (!/^[\x21-\x7e]+$/.test(trimmed)) {
      throw new ConfigurationError('The API key must be one word of visible ASCII characters.');
    }
    this.#key = trimmed;
  }

  authorization(): string {
    return `Bearer ${this.#key}`;
  }

  redact(text: string): string {
    return text.replaceAll(this.#key, '[API key]');
  }

  /** Whether an error, or what hangs on it, shows the key; also where that cannot be told. */
  isIn(error: unknown): boolean {
    try {
      return this.#shows(error, DEEPEST);
    } catch {
      return true;
    }
  }

  #shows(value: unknown, depth: number): boolean {
    if (typeof value === 'string') return value.includes(this.#key);
    if (typeof value !== 'object' || value === null) return false;
    if (depth === 0) return true;
    return Reflect.ownKeys(value).some((name) => this.#shows(Reflect.get(value, name), depth - 1));
  }
}
