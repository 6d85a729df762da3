import { Bramble } from '../index.ts';
import type { Terminal } from './terminal.ts';
import { EXIT } from './exit-code.ts';

export interface GlobalOptions {
  json?: true;
  url?: string;
}

/** One run of the command line. */
export class Session {
  readonly terminal: Terminal;
  /** What stood after `--`; undefined where there was no `--`. */
  readonly rest: readonly string[] | undefined;
  exitCode: number = EXIT.success;
  #options: GlobalOptions = {};

  constructor(terminal: Terminal, rest: readonly string[] | undefined) {
    this.terminal = terminal;
    this.rest = rest;
  }

  /** Takes the options that all commands share. */
  configure(options: GlobalOptions): void {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  /** @throws ConfigurationError where the URL or the key is missing */
  client(): Bramble {
    const { environment } = this.terminal;
    return new Bramble({
      // An empty text keeps the client from looking into the environment of the process itself.
      baseUrl: this.#options.url ?? environment.BRAMBLE_URL ?? '',
      apiKey: environment.BRAMBLE_API_KEY ?? '',
    });
  }

  /** Prints a value as JSON, or as people read it. */
  async print(value: unknown, readable: () => string): Promise<void> {
    await this.terminal.out(this.json ? `${JSON.stringify(value, null, 2)}\n` : readable());
  }

  /** Tells people something beside the result; silent with `--json`. */
  async tell(text: string): Promise<void> {
    if (!this.json) await this.terminal.err(`${text}\n`);
  }
}
