import { UnsafePathError } from '../errors/file-errors.ts';

/**
 * The parts of a relative path as the API writes it, with forward slashes.
 * @throws UnsafePathError for an absolute path, and for an empty, `.` or `..` part, backslashes and control characters
 */
export function relativePathParts(path: string): string[] {
  if (/\p{Cc}/u.test(path)) throw new UnsafePathError(path, 'has control characters in it');
  if (path.includes('\\')) throw new UnsafePathError(path, 'has a backslash in it');
  const parts = path.split('/');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') {
      throw new UnsafePathError(path, 'is no plain path below a directory');
    }
  }
  return parts;
}
