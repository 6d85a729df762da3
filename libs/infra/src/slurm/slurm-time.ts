import { parseDurationSeconds } from '#core/vocabulary/duration';

const NEVER = new Set(['', 'N/A', 'NONE', 'None', 'Unknown', '(null)', '0']);

/**
 * A time as Slurm's commands write it under `SLURM_TIME_FORMAT=%s`; null where there is none (yet).
 * @throws SyntaxError where it is neither
 */
export function parseSlurmTime(text: string): Date | null {
  if (NEVER.has(text)) return null;
  if (!/^\d{1,12}$/.test(text)) throw new SyntaxError(`not a time in seconds: "${text}"`);
  return new Date(Number(text) * 1000);
}

/**
 * Seconds of a limit such as `1-00:00:00`; null where there is no limit.
 * @throws SyntaxError where it is neither
 */
export function parseSlurmLimit(text: string): number | null {
  if (text === 'UNLIMITED' || text === 'INFINITE' || text === 'NONE') return null;
  const seconds = parseDurationSeconds(text);
  if (seconds === undefined) throw new SyntaxError(`not a limit of time: "${text}"`);
  return seconds;
}
