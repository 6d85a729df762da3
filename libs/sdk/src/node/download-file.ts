import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FileExistsError, IntegrityError } from '../errors/file-errors.ts';
import type { RemoteOutput } from '../files/download.ts';
import { readContent } from '../files/remote-content.ts';
import type { Transport } from '../http/transport.ts';

interface DownloadFileOptions {
  overwrite: boolean;
  signal: AbortSignal | undefined;
  /** Told how many bytes of the file are there. */
  onBytes: (bytes: number) => void;
}

/**
 * Downloads a file and puts it into its place when its digest has been found right. What is there of it is kept in
 * a `.part` file beside it, from which a later call goes on.
 * @throws FileExistsError where another file is there and `overwrite` is not set
 * @throws IntegrityError where the content does not have the digest that was announced
 */
export async function downloadFile(
  transport: Transport,
  file: RemoteOutput,
  target: string,
  options: DownloadFileOptions,
): Promise<void> {
  const present = await stat(target).catch(() => undefined);
  if (present !== undefined) {
    if (present.isFile() && present.size === file.size && (await digest(target)) === file.sha256) {
      options.onBytes(file.size);
      return;
    }
    if (!options.overwrite || !present.isFile()) throw new FileExistsError(target);
  }
  // The digest in its name keeps the beginning of one content from being completed with another's end.
  const part = `${target}.${file.sha256.slice(0, 16)}.part`;
  const resumed = await removeUnlessPlain(part);
  if (!(await fetchPart(transport, file, part, options))) {
    await rm(part, { force: true });
    if (!resumed || !(await fetchPart(transport, file, part, options))) {
      await rm(part, { force: true });
      throw new IntegrityError(
        `${file.path}: what came does not have the SHA-256 ${file.sha256} and the ${file.size} bytes that were announced.`,
      );
    }
  }
  await rename(part, target);
}

/** Whether there is a plain file to go on with. Anything else of that name, such as a symlink, is removed. */
async function removeUnlessPlain(part: string): Promise<boolean> {
  const found = await lstat(part).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isFile() && found.size > 0) return true;
  await rm(part, { recursive: true, force: true });
  return false;
}

/** Completes the `.part` file. Whether it is then what was announced. */
async function fetchPart(
  transport: Transport,
  file: RemoteOutput,
  part: string,
  { signal, onBytes }: DownloadFileOptions,
): Promise<boolean> {
  const handle = await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666);
  try {
    const { size: from } = await handle.stat();
    let hash = createHash('sha256');
    let end = Math.min(from, file.size);
    if (from > file.size) await handle.truncate(end);
    await addTo(hash, handle, end);
    onBytes(end);
    if (end < file.size) {
      for await (const { offset, bytes } of readContent(transport, file.content, { from: end, signal })) {
        if (offset !== end) {
          hash = createHash('sha256');
          await handle.truncate(0);
        }
        await writeAll(handle, bytes, offset);
        hash.update(bytes);
        end = offset + bytes.length;
        if (end > file.size) return false;
        onBytes(end);
      }
    }
    return end === file.size && hash.digest('hex') === file.sha256;
  } finally {
    await handle.close();
  }
}

async function addTo(hash: Hash, handle: FileHandle, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const beginning = handle.createReadStream({ start: 0, end: bytes - 1, autoClose: false });
  for await (const chunk of beginning) hash.update(chunk as Uint8Array);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
