import * as fs from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalFile } from '../files/local-file.ts';
import { fileFrom as fileFromBlob } from '../web/file-from.ts';

/**
 * A file for `submit` and `upload`, by its path, its `file:` URL, or as a Blob. What is in it is read when it is
 * sent, and never as a whole where the runtime can help it.
 * @throws the runtime's own error, such as ENOENT, where there is no such file
 */
export async function fileFrom(
  source: string | URL | Blob,
  options: { name?: string } = {},
): Promise<LocalFile> {
  if (source instanceof Blob) return fileFromBlob(source, options);
  const path = source instanceof URL ? fileURLToPath(source) : source;
  return { name: options.name ?? basename(path), bytes: await open(path) };
}

async function open(path: string): Promise<Blob | Uint8Array> {
  // Asked for as a blob, a directory or a file that is not there would fail without a word of which.
  await fs.promises.access(path, fs.constants.R_OK);
  const runtime: Partial<typeof fs> = fs;
  return runtime.openAsBlob === undefined ? fs.promises.readFile(path) : runtime.openAsBlob(path);
}
