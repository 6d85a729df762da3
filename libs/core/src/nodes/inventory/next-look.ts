/** A board that is away is looked for at least this often, unless the interval is longer. */
const LONGEST_PAUSE_MS = 5 * 60_000;

/**
 * When to look at a board again. Each board has its own place in the interval, by its id, so that the looks are spread
 * over it, whoever began when. After failures intervals are left out: none after the first, one after the second, then
 * three, seven …
 * @param failures looks in a row that have not found out how the board is
 */
export function nextLook(boardId: string, now: Date, intervalMs: number, failures: number): Date {
  const place = hash(boardId) % intervalMs;
  const round = Math.floor((now.getTime() - place) / intervalMs);
  const mostRounds = Math.max(1, Math.floor(LONGEST_PAUSE_MS / intervalMs));
  const rounds = Math.min(2 ** Math.max(0, Math.min(failures, 30) - 1), mostRounds);
  return new Date((round + rounds) * intervalMs + place);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
