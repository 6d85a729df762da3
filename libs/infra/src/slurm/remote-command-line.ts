import { shellQuote } from '#core/jobs/shell-quote';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { type ExpectedInput, withWholeInput } from '#infra/ssh/whole-input';
import { COMMAND_LANG, COMMAND_PATH, KILL_AFTER_SECONDS } from './command-transport.ts';

/** How the login user becomes the account of a job: `setpriv` as root, `sudo` by its rules, or not at all. */
export type Become = 'setpriv' | 'sudo' | 'none';

export interface RemoteCommandLineOptions {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** After which the command is killed over there: a channel that is closed does not end what runs in it. */
  lifeSeconds: number;
  /**
   * Who to become; null where whoever is there runs it. `container`: by setpriv, unless the container's user is the
   * account already; where it can be neither, the command is not started, and the exit code is 125.
   */
  become: { account: UnixAccount; by: 'setpriv' | 'sudo' | 'container' } | null;
  input?: ExpectedInput;
}

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
  const whole = input === undefined ? words : withWholeInput(words, input);
  // What the login user's own start-up files make of PATH does not count.
  return `PATH=${COMMAND_PATH}; export PATH; exec ${whole.map(shellQuote).join(' ')}`;
}

/** `$1`, `$2` and `$3` are the account's uid, gid and name, the rest is the command. */
const IN_CONTAINER = [
  'own=$(id -u) uid=$1 gid=$2 name=$3',
  'shift 3',
  'if [ "$own" -eq "$uid" ]; then exec "$@"; fi',
  'if [ "$own" -eq 0 ]; then exec setpriv --reuid="$uid" --regid="$gid" --init-groups -- "$@"; fi',
  'echo "the container runs as uid $own and may not become $name (uid $uid); only root may" >&2',
  'exit 125',
].join('\n');

function becomeWords({ account, by }: NonNullable<RemoteCommandLineOptions['become']>): string[] {
  switch (by) {
    case 'container':
      return ['sh', '-c', IN_CONTAINER, 'sh', String(account.uid), String(account.gid), account.name];
    case 'setpriv':
      return ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--init-groups', '--'];
    case 'sudo':
      return ['sudo', '-n', '-u', account.name, '--'];
  }
}
