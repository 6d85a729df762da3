import type { CommandOptions, CommandResult, CommandTransport } from './command-transport.ts';

export interface SlurmCommandsOptions {
  transport: CommandTransport;
  /** Where Slurm's commands are; without, they are looked up in `PATH`. */
  binDir?: string;
  /** The value of `SLURM_CONF`; without, Slurm's commands find their configuration themselves. */
  slurmConf?: string;
  /** Told of every command: its name, how long it took, and whether it ended with exit code 0. */
  onRpc?: (command: string, seconds: number, ok: boolean) => void;
}

/** How long a question may take. Slurm's commands give up by themselves after about MessageTimeout. */
export const QUESTION_TIMEOUT_MS = 60_000;

/** Runs Slurm's commands, in the environment that they need, over any transport. */
export class SlurmCommands {
  readonly #options: SlurmCommandsOptions;

  constructor(options: SlurmCommandsOptions) {
    this.#options = options;
  }

  get startsWithinMs(): number {
    return this.#options.transport.startsWithinMs;
  }

  program(name: string): string {
    return this.#options.binDir === undefined ? name : `${this.#options.binDir}/${name}`;
  }

  /** Asks something of Slurm. Times come as seconds since 1970. */
  async ask(
    [name, ...words]: readonly [string, ...string[]],
    options: Partial<CommandOptions> = {},
  ): Promise<CommandResult> {
    return this.run(name, [this.program(name), ...words], {
      timeoutMs: QUESTION_TIMEOUT_MS,
      ...options,
      env: { SLURM_TIME_FORMAT: '%s', ...options.env },
    });
  }

  /** @param name what the command is called in metrics */
  async run(
    name: string,
    argv: readonly [string, ...string[]],
    options: CommandOptions,
  ): Promise<CommandResult> {
    const { transport, slurmConf, onRpc } = this.#options;
    const startedAt = performance.now();
    const result = await transport.run(argv, {
      ...options,
      env: { ...(slurmConf === undefined ? {} : { SLURM_CONF: slurmConf }), ...options.env },
    });
    const ok = result.kind === 'exited' && result.code === 0;
    onRpc?.(name, (performance.now() - startedAt) / 1000, ok);
    return result;
  }
}
