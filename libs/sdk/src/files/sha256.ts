/** A SHA-256 that is fed piece by piece. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The digest in hexadecimal, lower case. To be asked for once, at the end. */
  hex(): string;
}

/** SHA-256 of a blob, read as a stream. */
export async function sha256Of(blob: Blob, hash: Sha256, signal: AbortSignal | undefined): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = blob.stream().getReader();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return hash.hex();
      hash.update(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
