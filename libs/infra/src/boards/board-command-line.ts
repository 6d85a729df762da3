import { shellQuote } from '#core/jobs/shell-quote';
import { withWholeInput } from '#infra/ssh/whole-input';

/** `PATH` of every command. Much of what sets a board up lies in sbin, which no ordinary account has in its own. */
const BOARD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a command's output looks like depends on the language of the board otherwise. */
const ENVIRONMENT = ['env', 'LC_ALL=C', 'LANG=C', `PATH=${BOARD_PATH}`];

/** What `timeout` waits between SIGTERM and SIGKILL. */
export const KILL_AFTER_SECONDS = 2;

/** How long the input of a command may take to arrive. */
export const INPUT_WITHIN_SECONDS = 60;

/** How sudo is told apart from the command that it runs, on one and the same stream. */
export interface SudoMarks {
  /** Sudo's question for the password, on stderr; null where it must not ask. */
  asks: string | null;
  /** Line on stderr once root runs what follows. */
  started: string;
}

export interface BoardCommandLineOptions {
  argv: readonly [string, ...string[]];
  /** After which the command is ended over there: a channel that is closed does not end what runs in it. */
  timeoutMs: number;
  /** Size of the input; null where there is none. */
  inputBytes: number | null;
  /** Null where the sign-in itself runs it. */
  sudo: SudoMarks | null;
}

/**
 * The command as one line for a POSIX shell. Each argument reaches the program as it is, whatever is in it.
 * @throws RangeError for a NUL
 */
export function boardCommandLine({ argv, timeoutMs, inputBytes, sudo }: BoardCommandLineOptions): string {
  // To `timeout`, 0 is for ever.
  const seconds = (Math.max(1, timeoutMs) / 1000).toFixed(3);
  // Root's own, below sudo: no ordinary account may end what root runs.
  const timed = ['timeout', '-k', String(KILL_AFTER_SECONDS), seconds, ...argv];
  const fed =
    inputBytes === null
      ? timed
      : withWholeInput(timed, { bytes: inputBytes, withinSeconds: INPUT_WITHIN_SECONDS });
  const words =
    sudo === null ? [...ENVIRONMENT, ...fed] : [...ENVIRONMENT, ...sudoWords(sudo), ...ENVIRONMENT, ...fed];
  return `exec ${words.map(shellQuote).join(' ')}`;
}

/** `-k`: a password that sudo remembers would hide that this one is wrong. */
function sudoWords({ asks, started }: SudoMarks): string[] {
  const sudo = asks === null ? ['sudo', '-n', '--'] : ['sudo', '-k', '-S', '-p', asks, '--'];
  return [...sudo, 'sh', '-c', 'echo "$1" >&2; shift; exec "$@"', 'sh', started];
}
