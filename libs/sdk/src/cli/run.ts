import { type Command, CommanderError } from 'commander';
import { ApiError, InvalidRequestError } from '../errors/api-error.ts';
import { ConfigurationError } from '../errors/bramble-error.ts';
import { EXIT } from './exit-code.ts';
import { buildProgram } from './program.ts';
import { Session } from './session.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line, without the program's own name, and answers the exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const at = argv.indexOf('--');
  const session = new Session(terminal, at === -1 ? undefined : argv.slice(at + 1));
  const program = buildProgram(session);
  const written: Promise<void>[] = [];
  forEachCommand(program, (command) =>
    command.exitOverride().configureOutput({
      writeOut: (text) => written.push(terminal.out(text)),
      writeErr: (text) => written.push(terminal.err(text)),
    }),
  );
  try {
    await program.parseAsync(at === -1 ? argv : argv.slice(0, at), { from: 'user' });
    return session.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.usage;
    await terminal.err(`bramble: ${describe(error)}\n`);
    return isUsage(error) ? EXIT.usage : EXIT.failure;
  } finally {
    await Promise.all(written);
  }
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const sub of command.commands) forEachCommand(sub, visit);
}

const isUsage = (error: unknown): boolean =>
  error instanceof UsageError || error instanceof ConfigurationError || error instanceof InvalidRequestError;

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const request =
    error instanceof ApiError && error.requestId !== null ? `\n  request ${error.requestId}` : '';
  return `${error.message}${request}`;
}
