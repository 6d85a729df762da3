import type { RemoteCommand, RemoteEnd } from '#infra/ssh/remote-command';
import {
  type CommandOptions,
  type CommandResult,
  type CommandTransport,
  DEFAULT_MAXIMUM_OUTPUT_BYTES,
} from './command-transport.ts';
import { OutputBuffer } from './output-buffer.ts';
import { remoteCommandLine, type RemoteCommandLineOptions } from './remote-command-line.ts';

/** One line for a POSIX shell somewhere else. */
export interface ShellCommand extends RemoteCommand {
  input?: string;
  /** How long it may wait until it is sent. */
  startWithinMs: number;
}

export interface ShellOptions {
  send: (command: ShellCommand) => Promise<RemoteEnd>;
  /** Who the command becomes there. */
  become: RemoteCommandLineOptions['become'];
  /** How long a command may wait until it is sent. */
  waitAtMostMs: number;
  /** How long a command's input may take to arrive. */
  inputWithinSeconds: number;
}

/** What `timeout` exits with where it had to end the command. */
const TIMED_OUT_CODE = 124;

/** Runs a program, as transports do, by way of a shell somewhere else. */
export async function runInShell(
  argv: Parameters<CommandTransport['run']>[0],
  { account, input, env, timeoutMs, maximumOutputBytes }: CommandOptions,
  { send, become, waitAtMostMs, inputWithinSeconds }: ShellOptions,
): Promise<CommandResult> {
  const limitBytes = maximumOutputBytes ?? DEFAULT_MAXIMUM_OUTPUT_BYTES;
  const output = new OutputBuffer(limitBytes);
  const flood = new AbortController();
  const lifeSeconds = Math.ceil(timeoutMs / 1000) + 1;
  const startedAt = performance.now();
  const commandLine = remoteCommandLine({
    argv,
    env: {
      ...(account === undefined ? {} : { HOME: account.home, USER: account.name, LOGNAME: account.name }),
      ...env,
    },
    lifeSeconds,
    become,
    ...(input === undefined
      ? {}
      : { input: { bytes: Buffer.byteLength(input), withinSeconds: inputWithinSeconds } }),
  });
  const end = await send({
    commandLine,
    ...(input === undefined ? {} : { input }),
    startWithinMs: waitAtMostMs,
    timeoutMs: timeoutMs + (input === undefined ? 0 : inputWithinSeconds * 1000),
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
    timeoutMs,
  });
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
