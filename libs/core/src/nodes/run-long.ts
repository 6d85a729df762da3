import { shellQuote } from '../jobs/shell-quote.ts';
import type { BoardConnection } from './board-connection.ts';
import { type StepContext, StepProblem } from './board-step.ts';
import { succeed } from './succeed.ts';

/** Work that may take minutes on a board, and goes on there when the connection breaks or the worker dies. */
export interface LongWork {
  /** Names the unit on the board: lower-case letters, digits and "-". One unit of a name runs at a time. */
  name: string;
  /** Shell lines for `sh`, run as root; they end at the first command that fails. No secrets: it is kept in a file. */
  script: string;
  /** `$1`, `$2` … of the script. */
  args?: readonly string[];
  /** How long it may take before the board ends it. */
  timeoutMs: number;
}

/** Work has ended without success. The message has the end of what it wrote. */
export class LongWorkFailed extends StepProblem {
  /** The last 64 KiB of what it wrote. */
  readonly output: string;

  constructor(what: string, output: string, options: { passing?: boolean } = {}) {
    super(`${what}: ${output.trim().slice(-SHOWN_CHARACTERS)}`, options);
    this.output = output;
  }
}

const DIRECTORY = '/run/bramble';
const FIRST_LOOK_MS = 200;
const LONGEST_PAUSE_MS = 1_500;
/** Of output at a time. */
const PIECE_BYTES = 65_536;
/** Of output that a problem shows. */
const SHOWN_CHARACTERS = 2_000;

const BUSY = 75;

/** systemd forgets a unit whose state is `dead`. It says nothing about the work, which is begun again. */
const ENDED_FROM_OUTSIDE = 'was ended, or the board has started anew';

/**
 * `$1` unit, `$2` seconds; the script on stdin. A unit of the same script that runs already is left alone: whoever began
 * it was interrupted.
 */
const START = `
set -eu
umask 077
mkdir -p ${DIRECTORY}
base="${DIRECTORY}/$1"
cat > "$base.new"
if [ "$(systemctl show --property=SubState --value "$1.service")" = running ]; then
  cmp -s "$base.new" "$base.sh" && exit 0
  exit ${BUSY}
fi
systemctl stop "$1.service" 2> /dev/null || true
systemctl reset-failed "$1.service" 2> /dev/null || true
mv "$base.new" "$base.sh"
: > "$base.log"
systemd-run --quiet --unit="$1.service" --service-type=exec \\
  --property=RemainAfterExit=yes --property="RuntimeMaxSec=$2" \\
  --property="StandardOutput=append:$base.log" --property="StandardError=append:$base.log" \\
  --property=StandardInput=null --setenv=LC_ALL=C --setenv=DEBIAN_FRONTEND=noninteractive \\
  --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  /bin/sh -e "$base.sh" || {
  # Work that fails at once is taken for a failed start, and has been started.
  [ "$(systemctl show --property=LoadState --value "$1.service")" = loaded ] &&
    [ "$(systemctl show --property=Result --value "$1.service")" != success ]
}
`;

/** `$1` unit, `$2` bytes that are known. The state comes first: what was written before is then in the log. */
const LOOK = `
systemctl show --property=SubState --property=Result --property=ExecMainStatus "$1.service"
echo
tail -c "+$(($2 + 1))" "${DIRECTORY}/$1.log" 2> /dev/null | head -c ${PIECE_BYTES}
`;

/** `$1` unit. */
const FORGET = `
systemctl stop "$1.service" 2> /dev/null
systemctl reset-failed "$1.service" 2> /dev/null
rm -f "${DIRECTORY}/$1.sh" "${DIRECTORY}/$1.new" "${DIRECTORY}/$1.log"
`;

/**
 * Runs work on a board as a unit of systemd, and shows its output as it comes. Where the connection breaks, it is taken
 * up again; where the worker dies, the next one finds the unit and waits for its end.
 * @returns the end of the output
 * @throws StepProblem where it takes no beginning, or the board stays away
 * @throws LongWorkFailed where it fails, takes too long, or was ended together with the board, which may pass
 */
export async function runLong(
  context: StepContext,
  { name, script, args = [], timeoutMs }: LongWork,
): Promise<string> {
  const unit = `bramble-${name}`;
  const text = `set -- ${args.map(shellQuote).join(' ')}\n${script}`;
  const start = [unit, String(Math.ceil(timeoutMs / 1000))];
  const deadline = context.now().getTime() + 2 * timeoutMs;
  while (!(await begun(context.connection, start, text))) {
    if (context.now().getTime() > deadline)
      throw new StepProblem(`Something else runs as ${unit} on the board, and does not end.`, {
        passing: true,
      });
    await context.pause(LONGEST_PAUSE_MS);
  }
  const { output, end } = await follow(context, unit);
  await succeed(context.connection, { argv: ['sh', '-c', FORGET, 'sh', unit], root: true });
  if (end === undefined) return output;
  throw new LongWorkFailed(`${name} ${end}`, output, { passing: end === ENDED_FROM_OUTSIDE });
}

/** `$@` units: prints those that were begun and not cleared away. */
const LEFT = `
for unit; do
  if [ -e "${DIRECTORY}/$unit.sh" ]; then echo "$unit"; fi
done
`;

/**
 * Waits for the end of work that an interrupted worker has begun, and clears it away. How it ended is for the caller to
 * see from what it has done.
 * @param names as in {@link LongWork}
 */
export async function finishLong(context: StepContext, names: readonly string[]): Promise<void> {
  const units = names.map((name) => `bramble-${name}`);
  const { connection } = context;
  const { stdout } = await succeed(connection, { argv: ['sh', '-c', LEFT, 'sh', ...units], root: true });
  for (const unit of units.filter((one) => stdout.split('\n').includes(one))) {
    await follow(context, unit);
    await succeed(context.connection, { argv: ['sh', '-c', FORGET, 'sh', unit], root: true });
  }
}

async function begun(
  connection: BoardConnection,
  start: readonly string[],
  script: string,
): Promise<boolean> {
  const outcome = await connection.run({
    argv: ['sh', '-c', START, 'sh', ...start],
    input: script,
    root: true,
  });
  if (outcome.kind === 'exited' && outcome.code === BUSY) return false;
  if (outcome.kind === 'exited' && outcome.code === 0) return true;
  if (outcome.kind === 'exited') throw new StepProblem(`systemd did not start it: ${outcome.stderr.trim()}`);
  throw new StepProblem(`The board went away: ${outcome.because}`, { passing: true });
}

/** @returns how it ended, where it failed */
async function follow(
  context: StepContext,
  unit: string,
): Promise<{ output: string; end: string | undefined }> {
  let output = '';
  let known = 0;
  let pauseMs = FIRST_LOOK_MS;
  for (;;) {
    const look = await context.connection.run({
      argv: ['sh', '-c', LOOK, 'sh', unit, String(known)],
      root: true,
    });
    if (look.kind === 'lost' || look.kind === 'unreachable') {
      await context.reconnect();
      continue;
    }
    if (look.kind === 'broken')
      throw new StepProblem(`It cannot be followed: ${look.because}`, { passing: true });
    const at = look.stdout.indexOf('\n\n');
    const properties = new Map(
      look.stdout
        .slice(0, at)
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const piece = look.stdout.slice(at + 2);
    if (piece !== '') {
      known += Buffer.byteLength(piece);
      output = (output + piece).slice(-PIECE_BYTES);
      await context.say(piece);
      pauseMs = FIRST_LOOK_MS;
      continue;
    }
    if (properties.get('SubState') !== 'running' && properties.get('SubState') !== 'start')
      return { output, end: failureOf(properties) };
    await context.pause(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function failureOf(properties: ReadonlyMap<string, string>): string | undefined {
  const [state, result, status] = ['SubState', 'Result', 'ExecMainStatus'].map(
    (name) => properties.get(name) ?? '',
  );
  if (state === 'exited') return undefined;
  if (state === 'dead') return ENDED_FROM_OUTSIDE;
  if (result === 'timeout') return 'took too long';
  return result === 'exit-code' ? `failed with exit code ${status}` : `failed (${result})`;
}
