import type { SshConnection } from '#infra/ssh/ssh-connection';
import type { CommandOptions, CommandResult, CommandTransport } from './command-transport.ts';
import type { Become, RemoteCommandLineOptions } from './remote-command-line.ts';
import { runInShell } from './run-in-shell.ts';

export interface SshTransportOptions {
  connection: SshConnection;
  /** How the login user becomes the account of a job. `none`: only the login user's own jobs can be run. */
  become: Become;
  /** How long a command may wait for the connection and its turn. Default 10,000. */
  waitAtMostMs?: number;
  /** How long a command's input may take to arrive. Default 10,000. */
  inputWithinMs?: number;
}

/** Runs commands on a login node. */
export class SshTransport implements CommandTransport {
  readonly startsWithinMs: number;
  readonly #connection: SshConnection;
  readonly #become: Become;
  readonly #waitAtMostMs: number;
  readonly #inputWithinSeconds: number;

  constructor(options: SshTransportOptions) {
    this.#connection = options.connection;
    this.#become = options.become;
    this.#waitAtMostMs = options.waitAtMostMs ?? 10_000;
    this.#inputWithinSeconds = Math.ceil((options.inputWithinMs ?? 10_000) / 1000);
    this.startsWithinMs = this.#waitAtMostMs + this.#inputWithinSeconds * 1000;
  }

  async run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
    const become = this.#becomeFor(options);
    if (become !== null && 'because' in become) return { kind: 'unreachable', because: become.because };
    return runInShell(argv, options, {
      become,
      send: (command) => this.#connection.run(command),
      waitAtMostMs: this.#waitAtMostMs,
      inputWithinSeconds: this.#inputWithinSeconds,
    });
  }

  #becomeFor({ account }: CommandOptions): RemoteCommandLineOptions['become'] | { because: string } {
    if (account === undefined || account.name === this.#connection.user) return null;
    if (this.#become !== 'none') return { account, by: this.#become };
    return {
      because: `${this.#connection.name} runs commands as ${this.#connection.user} only, and may not become ${account.name}`,
    };
  }
}
