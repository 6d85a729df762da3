import type { CommandResult } from './command-transport.ts';

const MAXIMUM_TEXT = 500;

/** Why a command gave no answer, in one line for logs and for `/readyz`. */
export function describeFailure(command: string, result: CommandResult): string {
  switch (result.kind) {
    case 'exited':
      return withText(`${command} exited with code ${result.code}`, result.stderr);
    case 'signalled':
      return withText(`${command} was ended by ${result.signal}`, result.stderr);
    case 'timed_out':
      return withText(`${command} did not end within ${result.afterMs / 1000} s`, result.stderr);
    case 'flooded':
      return `${command} wrote more than ${result.limitBytes} bytes`;
    case 'lost':
      return withText(`${command} was sent, but its answer was lost: ${result.because}`, result.stderr);
    case 'unreachable':
      return `${command} could not be started: ${result.because}`;
  }
}

function withText(what: string, stderr: string): string {
  const text = oneLine(stderr);
  return text === '' ? what : `${what}: ${text}`;
}

/** Text of several lines as one, shortened, without control characters. */
export function oneLine(text: string): string {
  const line = text
    .split(/\p{Cc}+/u)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('; ');
  return line.length > MAXIMUM_TEXT ? `${line.slice(0, MAXIMUM_TEXT)}…` : line;
}
