import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file so that a reader sees the old content or the new one, and never half of it. */
export function writeFileAtomically(file: string, content: string, mode: number): void {
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}
