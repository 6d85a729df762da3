/** Size of the input, and how long it may take to arrive. */
export interface ExpectedInput {
  bytes: number;
  withinSeconds: number;
}

/**
 * Takes the whole input into a file without a name before the command starts. Were the command to read from the line
 * itself, a line that breaks in the middle would look like the end of the input: half a script would be run as a job,
 * half a file installed. No end of the input is waited for: not every way to a machine can tell it.
 *
 * `$1` is the input's size, `$2` how many seconds it may take, the rest is the command. Exit code 125, as `env` and
 * `timeout` have it: the command was not started.
 */
const WITH_WHOLE_INPUT = [
  'file=$(mktemp) || exit 125',
  `trap 'rm -f "$file"; exit 125' HUP INT TERM`,
  'timeout "$2" head -c "$1" > "$file"',
  'size=$(wc -c < "$file")',
  'if [ "$size" -ne "$1" ]; then rm -f "$file"; echo "only $size of $1 bytes of input arrived" >&2; exit 125; fi',
  'shift 2',
  'exec < "$file" || exit 125',
  'rm -f "$file"',
  'exec "$@"',
].join('\n');

/** @returns the words of a command that runs the given one once all of its input has arrived */
export const withWholeInput = (
  words: readonly string[],
  { bytes, withinSeconds }: ExpectedInput,
): string[] => ['sh', '-c', WITH_WHOLE_INPUT, 'sh', String(bytes), String(withinSeconds), ...words];
