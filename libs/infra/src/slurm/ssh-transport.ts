import type { RemoteEnd } from '#infra/ssh/remote-command';
import type { SshConnection } from '#infra/ssh/ssh-connection';
import {
  type CommandOptions,
  type CommandResult,
  type CommandTransport,
  DEFAULT_MAXIMUM_OUTPUT_BYTES,
} from './command-transport.ts';
import { OutputBuffer } from './output-buffer.ts';
import { type Become, remoteCommandLine, type RemoteCommandLineOptions } from './remote-command-line.ts';

export interface SshTransportOptions {
  connection: SshConnection;
  /** How the login user becomes the account of a job. `none`: only the login user's own jobs can be run. */
  become: Become;
  /** How long a command may wait for the connection and its turn. Default 10,000. */
  waitAtMostMs?: number;
  /** How long a command's input may take to arrive. Default 10,000. */
  inputWithinMs?: number;
}

/** What `timeout` exits with where it had to end the command. */
const TIMED_OUT_CODE = 124;

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
    const limitBytes = options.maximumOutputBytes ?? DEFAULT_MAXIMUM_OUTPUT_BYTES;
    const output = new OutputBuffer(limitBytes);
    const flood = new AbortController();
    const lifeSeconds = Math.ceil(options.timeoutMs / 1000) + 1;
    const startedAt = performance.now();
    const { input, account } = options;
    const commandLine = remoteCommandLine({
      argv,
      env: {
        ...(account === undefined ? {} : { HOME: account.home, USER: account.name, LOGNAME: account.name }),
        ...options.env,
      },
      lifeSeconds,
      become,
      ...(input === undefined
        ? {}
        : { input: { bytes: Buffer.byteLength(input), withinSeconds: this.#inputWithinSeconds } }),
    });
    const end = await this.#connection.run({
      commandLine,
      ...(input === undefined ? {} : { input }),
      startWithinMs: this.#waitAtMostMs,
      timeoutMs: options.timeoutMs + (input === undefined ? 0 : this.#inputWithinSeconds * 1000),
      onOutput: (stream, chunk) => {
        if (!output.add(stream, chunk)) flood.abort();
      },
      stop: flood.signal,
    });
    const killedThere =
      end.kind === 'exited' &&
      end.code === TIMED_OUT_CODE &&
      performance.now() - startedAt >= lifeSeconds * 1000;
    return toResult(killedThere ? { kind: 'timed_out' } : end, {
      ...output.read(),
      limitBytes,
      timeoutMs: options.timeoutMs,
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

function toResult(
  end: RemoteEnd,
  {
    stdout,
    stderr,
    limitBytes,
    timeoutMs,
  }: { stdout: string; stderr: string; limitBytes: number; timeoutMs: number },
): CommandResult {
  switch (end.kind) {
    case 'exited':
    case 'signalled':
    case 'lost':
      return { ...end, stdout, stderr };
    case 'timed_out':
      return { kind: 'timed_out', afterMs: timeoutMs, stdout, stderr };
    case 'stopped':
      return { kind: 'flooded', limitBytes, stdout, stderr };
    case 'unreachable':
      return end;
  }
}
