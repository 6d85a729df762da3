import type { UnixAccount } from '#core/jobs/slurm-controller';

/**
 * The way to the machine that has Slurm's commands: this machine, a login node, a pod. What is run and how its output
 * is read is the same everywhere.
 */
export interface CommandTransport {
  /** No command begins later than this after `run` was called; one that would is answered with `unreachable`. */
  readonly startsWithinMs: number;

  /**
   * Runs a program with exactly these arguments. No exit code, signal or broken line is an exception.
   * @throws TypeError or RangeError for what no program can be given: an empty argv, a NUL, a bad variable name
   */
  run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult>;
}

export interface CommandOptions {
  /**
   * Standard input. The program finds all of it or is not started: a script that was cut short by a broken line would
   * be run as far as it goes. Without, the input is empty.
   */
  input?: string;
  /** Variables besides `PATH`, `LANG`, `HOME`, `USER` and `LOGNAME`. Nothing of the worker's own environment is passed on. */
  env?: Readonly<Record<string, string>>;
  /** Who runs the program; without, whoever the transport is. */
  account?: UnixAccount;
  /** Counted from the program's start. */
  timeoutMs: number;
  /** Bytes of stdout and stderr together after which the program is killed. Default 64 MiB. */
  maximumOutputBytes?: number;
}

export const DEFAULT_MAXIMUM_OUTPUT_BYTES = 64 * 1024 * 1024;

export type CommandResult =
  | ({ kind: 'exited'; code: number } & CommandOutput)
  | ({ kind: 'signalled'; signal: string } & CommandOutput)
  /** It was killed, or at least left behind, because its time was up. */
  | ({ kind: 'timed_out'; afterMs: number } & CommandOutput)
  /** It was killed because it wrote more than it may. */
  | ({ kind: 'flooded'; limitBytes: number } & CommandOutput)
  /** The line broke after the command was sent: it may have run, and may still be running. */
  | ({ kind: 'lost'; because: string } & CommandOutput)
  /** The program was certainly never started. */
  | { kind: 'unreachable'; because: string };

export interface CommandOutput {
  stdout: string;
  stderr: string;
}

/** `PATH` of every command. Jobs inherit it through sbatch. */
export const COMMAND_PATH = '/usr/local/bin:/usr/bin:/bin';

/** What `timeout` waits between SIGTERM and SIGKILL. */
export const KILL_AFTER_SECONDS = 2;

/** `LANG` of every command: English messages, and a locale with which jobs, which inherit it, can read UTF-8. */
export const COMMAND_LANG = 'C.UTF-8';
