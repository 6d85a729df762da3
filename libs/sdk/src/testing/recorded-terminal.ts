import type { Terminal } from '../cli/terminal.ts';

/** A terminal that keeps what is written, and at which Ctrl-C can be pressed. */
export class RecordedTerminal implements Terminal {
  environment: Record<string, string | undefined>;
  outIsTerminal = false;
  errIsTerminal = false;
  written = '';
  errors = '';
  #interrupted: (() => void) | undefined;

  constructor(environment: Record<string, string | undefined>) {
    this.environment = environment;
  }

  async out(text: string): Promise<void> {
    this.written += text;
  }

  async err(text: string): Promise<void> {
    this.errors += text;
  }

  onInterrupt(listener: () => void): () => void {
    this.#interrupted = listener;
    return () => (this.#interrupted = undefined);
  }

  pressControlC(): void {
    this.#interrupted?.();
  }
}
