import { shellQuote } from '#core/jobs/shell-quote';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { COMMAND_LANG, COMMAND_PATH, KILL_AFTER_SECONDS } from './command-transport.ts';

/** How the login user becomes the account of a job: `setpriv` as root, `sudo` by its rules, or not at all. */
export type Become = 'setpriv' | 'sudo' | 'none';

export interface RemoteCommandLineOptions {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** After which the command is killed over there: a channel that is closed does not end what runs in it. */
  lifeSeconds: number;
  /** Who to become; null where the login user runs it. */
  become: { account: UnixAccount; by: 'setpriv' | 'sudo' } | null;
  /** Size of the input, and how long it may take to arrive. */
  input?: { bytes: number; withinSeconds: number };
}

/**
 * Takes the whole input into a file without a name before the command starts. Were sbatch to read from the line itself,
 * a line that breaks in the middle would look like the end of the script, and half a script would be run as a job.
 *
 * `$1` is the input's size, `$2` how many seconds it may take, the rest is the command. Exit code 125, as `env` and
 * `timeout` have it: the command was not started.
 */
const WITH_WHOLE_INPUT = [
  'file=$(mktemp) || exit 125',
  `trap 'rm -f "$file"; exit 125' HUP INT TERM`,
  'timeout "$2" cat > "$file"',
  'size=$(wc -c < "$file")',
  'if [ "$size" -ne "$1" ]; then rm -f "$file"; echo "only $size of $1 bytes of input arrived" >&2; exit 125; fi',
  'shift 2',
  'exec < "$file" || exit 125',
  'rm -f "$file"',
  'exec "$@"',
].join('\n');

/**
 * The command as one line for a POSIX shell. Each argument reaches the program as it is, whatever is in it.
 * @throws TypeError for a program or a variable that `env` would take for something else
 * @throws RangeError for a NUL
 */
export function remoteCommandLine({
  argv,
  env,
  lifeSeconds,
  become,
  input,
}: RemoteCommandLineOptions): string {
  const [program] = argv;
  if (program === '' || program.includes('=') || program.startsWith('-'))
    throw new TypeError(`not a program: "${program}"`);
  const variables = { PATH: COMMAND_PATH, LANG: COMMAND_LANG, ...env };
  for (const name of Object.keys(variables)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`not a variable: "${name}"`);
  }
  const words = [
    ...(become === null ? [] : becomeWords(become)),
    'env',
    '-i',
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    'timeout',
    '-k',
    String(KILL_AFTER_SECONDS),
    String(lifeSeconds),
    ...argv,
  ];
  const whole =
    input === undefined
      ? words
      : ['sh', '-c', WITH_WHOLE_INPUT, 'sh', String(input.bytes), String(input.withinSeconds), ...words];
  // What the login user's own start-up files make of PATH does not count.
  return `PATH=${COMMAND_PATH}; export PATH; exec ${whole.map(shellQuote).join(' ')}`;
}

function becomeWords({ account, by }: { account: UnixAccount; by: 'setpriv' | 'sudo' }): string[] {
  switch (by) {
    case 'setpriv':
      return ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--init-groups', '--'];
    case 'sudo':
      return ['sudo', '-n', '-u', account.name, '--'];
  }
}
