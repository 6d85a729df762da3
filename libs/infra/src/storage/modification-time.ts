const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-31T00:00:00Z');

/** A file's time of modification, within the years of ISO 8601: its owner may have set it to any number. */
export function modificationTime({ mtimeMs }: { mtimeMs: number }): Date {
  return new Date(Math.min(LATEST_MS, Math.max(EARLIEST_MS, mtimeMs)));
}
