import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { UnsafePathError } from '../errors/file-errors.ts';
import type { DownloadedFile, DownloadOptions, RemoteOutput } from '../files/download.ts';
import { relativePathParts } from '../files/relative-path.ts';
import type { Transport } from '../http/transport.ts';
import { downloadFile } from './download-file.ts';

/**
 * Downloads files into a directory, which is made where it is missing. All paths are checked before anything is
 * written; files that are there already with the right content are left as they are.
 */
export async function downloadFiles(
  transport: Transport,
  files: readonly RemoteOutput[],
  directory: string,
  { onProgress, overwrite = false, signal }: DownloadOptions,
): Promise<DownloadedFile[]> {
  const root = resolve(directory);
  for (const { path } of files) localPath(root, path);
  await mkdir(root, { recursive: true });
  const totalBytes = files.reduce((total, { size }) => total + size, 0);
  const done: DownloadedFile[] = [];
  let bytesBefore = 0;
  for (const file of files) {
    const { path, size, sha256 } = file;
    signal?.throwIfAborted();
    const target = localPath(root, path);
    await makeParent(root, target, path);
    await downloadFile(transport, file, target, {
      overwrite,
      signal,
      onBytes: (bytes) => onProgress?.({ path, bytes: bytesBefore + bytes, totalBytes }),
    });
    bytesBefore += size;
    done.push({ path, localPath: target, size, sha256 });
  }
  return done;
}

function localPath(root: string, path: string): string {
  const target = resolve(root, ...relativePathParts(path));
  // Some systems have further ways to leave a directory, such as "C:".
  if (target !== join(root, ...path.split('/')) || !target.startsWith(withSeparator(root))) {
    throw new UnsafePathError(path, 'would leave the directory');
  }
  return target;
}

/** @throws UnsafePathError where a symlink on the way leads out of the directory */
async function makeParent(root: string, target: string, path: string): Promise<void> {
  const realRoot = await realpath(root);
  let below = root;
  for (const part of dirname(target).slice(withSeparator(root).length).split(sep).filter(Boolean)) {
    below = join(below, part);
    await mkdir(below).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
    if (!withSeparator(await realpath(below)).startsWith(withSeparator(realRoot))) {
      throw new UnsafePathError(path, 'would leave the directory by a symlink');
    }
  }
}

const withSeparator = (path: string): string => (path.endsWith(sep) ? path : path + sep);
