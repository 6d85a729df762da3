import type { BoardConnection } from './board-connection.ts';
import { StepProblem } from './board-step.ts';
import { succeed } from './succeed.ts';

const NOT_THERE = 3;

/** `$1` is the path. */
const READ = `[ -e "$1" ] || exit ${NOT_THERE}; exec cat -- "$1"`;

/** `$1` is the path, `$2` the mode. The old file, or the whole new one, is there at every moment. */
const WRITE = `
set -e
new="$1.bramble-new"
trap 'rm -f -- "$new"' EXIT
umask 077
cat > "$new"
chmod "$2" "$new"
sync "$new"
mv -T -- "$new" "$1"
trap - EXIT
sync "$(dirname -- "$1")"
`;

/**
 * Reads a text file of a board as root.
 * @returns undefined where there is none
 * @throws StepProblem
 */
export async function readBoardFile(connection: BoardConnection, path: string): Promise<string | undefined> {
  const end = await connection.run({ argv: ['sh', '-c', READ, 'sh', path], root: true });
  if (end.kind === 'exited' && end.code === 0) return end.stdout;
  if (end.kind === 'exited' && end.code === NOT_THERE) return undefined;
  if (end.kind === 'exited') throw new StepProblem(`${path} cannot be read: ${end.stderr.trim()}`);
  throw new StepProblem(`The board went away: ${end.because}`, { passing: true });
}

/**
 * Writes a text file of a board as root, all of it or nothing.
 * @param mode octal, such as `0644`
 * @throws StepProblem
 */
export async function writeBoardFile(
  connection: BoardConnection,
  path: string,
  content: string,
  mode = '0644',
): Promise<void> {
  await succeed(connection, { argv: ['sh', '-c', WRITE, 'sh', path, mode], input: content, root: true });
}
