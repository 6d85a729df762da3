import { z } from 'zod';

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const UNITS = /^(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$/;
const SLURM = /^(?:(\d{1,5})-)?(\d{1,4})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;

/** The longest duration that is accepted: a year. */
export const MAX_DURATION_SECONDS = 366 * UNIT_SECONDS.d;

/**
 * Seconds of a duration as people write it: `"90s"`, `"2h"`, `"1h30m"`, or in Slurm's forms `MM:SS`,
 * `HH:MM:SS`, `D-HH`, `D-HH:MM` and `D-HH:MM:SS`. A bare number is refused because Slurm reads it as minutes
 * where most people mean seconds.
 * @returns undefined where the text is none of these.
 * @see https://slurm.schedmd.com/sbatch.html#OPT_time
 */
export function parseDurationSeconds(text: string): number | undefined {
  const units = UNITS.exec(text);
  if (units !== null && text !== '') {
    const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = units;
    return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  const slurm = SLURM.exec(text);
  if (slurm === null) return undefined;
  const [, days, first = '0', second, third] = slurm;
  if (days !== undefined) {
    return Number(days) * 86_400 + Number(first) * 3600 + Number(second ?? 0) * 60 + Number(third ?? 0);
  }
  if (second === undefined) return undefined;
  return third === undefined
    ? Number(first) * 60 + Number(second)
    : Number(first) * 3600 + Number(second) * 60 + Number(third);
}

/** A time limit as Slurm reads it without ambiguity: `D-HH:MM:SS`. */
export function formatSlurmDuration(totalSeconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(totalSeconds / 86_400);
  const rest = totalSeconds % 86_400;
  return `${days}-${two(Math.floor(rest / 3600))}:${two(Math.floor((rest % 3600) / 60))}:${two(rest % 60)}`;
}

export const durationSchema = z
  .string()
  .max(32)
  .refine((text) => {
    const seconds = parseDurationSeconds(text);
    return seconds !== undefined && seconds > 0 && seconds <= MAX_DURATION_SECONDS;
  }, 'must be a duration of more than 0 and at most 366 days, such as "90s", "2h", "1h30m" or "1-12:00:00"')
  .describe("A duration: `90s`, `2h`, `1h30m`, or in Slurm's form `D-HH:MM:SS`.");
