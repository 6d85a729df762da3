import type { FileHandle } from 'node:fs/promises';
import type { OpenFile } from '#core/jobs/run-files';
import { modificationTime } from './modification-time.ts';

/** Bytes that are read at once. */
const CHUNK_BYTES = 256 * 1024;

/**
 * An open regular file. It is read by position from the descriptor: a rename, or another file put in its place, does
 * not matter to it. What is written behind `size` after the opening is not read; a file that shrinks ends early.
 */
export class RegularFile implements OpenFile {
  readonly size: number;
  readonly modifiedAt: Date;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, size: number, modifiedAt: Date) {
    this.#handle = handle;
    this.size = size;
    this.modifiedAt = modifiedAt;
  }

  /** Takes the handle over: it is closed with the file, and where this fails. */
  static async of(handle: FileHandle): Promise<RegularFile> {
    try {
      const stats = await handle.stat();
      return new RegularFile(handle, stats.size, modificationTime(stats));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async *read(
    range: { start: number; end: number } = { start: 0, end: this.size - 1 },
  ): AsyncGenerator<Uint8Array> {
    const end = Math.min(range.end, this.size - 1);
    let position = range.start;
    while (position <= end) {
      const chunk = await this.readUpTo(position, Math.min(CHUNK_BYTES, end - position + 1));
      if (chunk.byteLength === 0) return;
      yield chunk;
      position += chunk.byteLength;
    }
  }

  /** Bytes from `position`, fewer than `length` only at the end of the file as it is now. */
  async readUpTo(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  /** Reads that are under way end first. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
