import type { BoardConnection } from './board-connection.ts';
import { succeed } from './succeed.ts';

/** `$1` is a line of `authorized_keys`; written aside and renamed, so that no sign-in ever meets half a file. */
const AUTHORIZE = `
set -e
umask 077
mkdir -p "$HOME/.ssh"
cd "$HOME/.ssh"
touch authorized_keys
grep -qxF -- "$1" authorized_keys && exit 0
cp authorized_keys authorized_keys.bramble
[ ! -s authorized_keys.bramble ] || [ -z "$(tail -c 1 authorized_keys.bramble)" ] || echo >> authorized_keys.bramble
printf '%s\\n' "$1" >> authorized_keys.bramble
sync authorized_keys.bramble
mv authorized_keys.bramble authorized_keys
`;

/**
 * Lets a key in to the account that is signed in, beside those that it lets in already.
 * @param publicKeyLine a line of `authorized_keys`
 * @throws StepProblem
 */
export async function authorize(connection: BoardConnection, publicKeyLine: string): Promise<void> {
  await succeed(connection, { argv: ['sh', '-c', AUTHORIZE, 'sh', publicKeyLine] });
}

const IS_AUTHORIZED = 'grep -qxF -- "$1" "$HOME/.ssh/authorized_keys" 2> /dev/null && echo yes || echo no';

/** @throws StepProblem */
export async function isAuthorized(connection: BoardConnection, publicKeyLine: string): Promise<boolean> {
  const { stdout } = await succeed(connection, { argv: ['sh', '-c', IS_AUTHORIZED, 'sh', publicKeyLine] });
  return stdout.trim() === 'yes';
}

const WITHDRAW = `
set -e
umask 077
cd "$HOME/.ssh"
[ -e authorized_keys ] || exit 0
grep -vxF -- "$1" authorized_keys > authorized_keys.bramble || [ $? -eq 1 ]
sync authorized_keys.bramble
mv authorized_keys.bramble authorized_keys
`;

/**
 * Takes a key out of those that the account lets in; the others stay.
 * @throws StepProblem
 */
export async function withdraw(connection: BoardConnection, publicKeyLine: string): Promise<void> {
  await succeed(connection, { argv: ['sh', '-c', WITHDRAW, 'sh', publicKeyLine] });
}
