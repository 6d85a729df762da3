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
