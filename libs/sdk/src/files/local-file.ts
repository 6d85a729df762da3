/** A file of this machine, or of a browser, that is to go to the cluster. */
export interface LocalFile {
  /** File name, without directories. */
  name: string;
  /** The content: in memory, or as a Blob, which runtimes read from the disk as it is needed. */
  bytes: Uint8Array | Blob;
}

export const blobOf = ({ bytes }: LocalFile): Blob =>
  bytes instanceof Blob ? bytes : new Blob([unshared(bytes)]);

export const sizeOf = ({ bytes }: LocalFile): number =>
  bytes instanceof Blob ? bytes.size : bytes.byteLength;

/**
 * The content as text where the API takes it inline: UTF-8 without control characters other than tab, LF and CR.
 * @returns undefined where it is anything else, or longer than `mostBytes`
 */
export async function inlineText(file: LocalFile, mostBytes: number): Promise<string | undefined> {
  if (sizeOf(file) > mostBytes) return undefined;
  const text = decodeStrictly(await blobOf(file).arrayBuffer());
  return text === undefined || /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
}

function decodeStrictly(bytes: ArrayBuffer): string | undefined {
  try {
    // A byte order mark is part of the file.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same bytes, in memory that no other thread may change: what the web's APIs take. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
