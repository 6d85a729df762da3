/**
 * One word of a POSIX shell that stands for exactly this text, whatever is in it. Single quotes keep every
 * character; a single quote itself is closed, escaped and opened again. Plain words are quoted too, or `if` and
 * `A=b` would be read as syntax.
 * @throws RangeError for NUL, which no argument can hold
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new RangeError('a shell word cannot hold NUL');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
