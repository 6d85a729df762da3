import { z } from 'zod';

/** True where the text has a control character other than the white space that scripts are made of. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

/** Half of a surrogate pair cannot be written as UTF-8: it would arrive as another character. */
const NOT_UNICODE = 'must be valid Unicode';

export const hasControlCharacter = (text: string): boolean => CONTROL.test(text);

/** Text of several lines that may reach a file or an argument: no NUL, no terminal escapes. */
export const multilineText = (maximumLength: number) =>
  z
    .string()
    .max(maximumLength)
    .refine((text) => !hasControlCharacter(text), 'must not contain NUL or other control characters')
    .refine((text) => text.isWellFormed(), NOT_UNICODE);

/** A name as Slurm's own entities have them (partitions, accounts, QOS, reservations). */
export const slurmName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'must be 1 to 64 letters, digits, "_", "." or "-"');

/**
 * A relative path below a directory: forward slashes, no empty, `.` or `..` part, no control character.
 * Symlinks are the storage's business; this is only about the text.
 */
export const relativePath = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((path, context) => {
    const fault = relativePathFault(path);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

/** What is wrong with a relative path, in words; undefined where nothing is. */
export function relativePathFault(path: string): string | undefined {
  if (/\p{Cc}/u.test(path)) return 'must not contain NUL, newlines or other control characters';
  if (!path.isWellFormed()) return NOT_UNICODE;
  if (path.includes('\\')) return 'must use forward slashes';
  if (path.startsWith('/')) return 'must be relative, without a leading "/"';
  for (const part of path.split('/')) {
    if (part === '') return 'must not have an empty part ("//" or a trailing "/")';
    if (part === '.' || part === '..') return 'must not have a "." or ".." part';
    if (part.length > 255) return 'must not have a part longer than 255 characters';
  }
  return undefined;
}
