import { UnsupportedError } from '../errors/bramble-error.ts';
import type { LocalFile } from '../files/local-file.ts';

/**
 * A file for `submit` and `upload`: the `File` of an `<input type="file">`, or a `Blob` with a name.
 * @throws UnsupportedError for a path: only Node, Deno and Bun read files by path
 */
export async function fileFrom(
  source: string | URL | Blob,
  options: { name?: string } = {},
): Promise<LocalFile> {
  if (source instanceof Blob) return { name: options.name ?? nameOf(source), bytes: source };
  throw new UnsupportedError(
    'Files cannot be read by their path here; give the File of an <input>, or a Blob.',
  );
}

export const nameOf = (blob: Blob): string =>
  'name' in blob && typeof blob.name === 'string' ? blob.name : 'file';
