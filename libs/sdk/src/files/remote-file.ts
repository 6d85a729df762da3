import type { CallOptions } from '../http/api-request.ts';
import type { Transport } from '../http/transport.ts';
import { unshared } from './local-file.ts';
import { readContent, type RemoteContent } from './remote-content.ts';

export interface ReadOptions extends CallOptions {
  /** Begin this many bytes into the file. Default: 0. */
  offset?: number | undefined;
}

/** A file on the cluster. Nothing is fetched before it is read; each of the methods reads it anew. */
export class RemoteFile {
  readonly #transport: Transport;
  readonly #content: RemoteContent;

  constructor(transport: Transport, content: RemoteContent) {
    this.#transport = transport;
    this.#content = content;
  }

  /**
   * The content as a stream, which resumes where a connection breaks. Cancelling it closes the connection.
   * @throws NotFoundError, or ConflictError where the path names no regular file; both when it is read
   */
  stream({ offset = 0, signal }: ReadOptions = {}): ReadableStream<Uint8Array> {
    const pieces = this.#pieces(offset, signal);
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await pieces.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await pieces.return();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** The whole content in memory. */
  async bytes({ offset = 0, signal }: ReadOptions = {}): Promise<Uint8Array> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const bytes of this.#pieces(offset, signal)) parts.push(unshared(bytes));
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  /** The whole content as UTF-8 text. */
  async text(options: ReadOptions = {}): Promise<string> {
    return new TextDecoder().decode(await this.bytes(options));
  }

  async *#pieces(from: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const { offset, bytes } of readContent(this.#transport, this.#content, { from, signal })) {
      // A server without ranges answers the whole.
      const before = Math.min(bytes.length, Math.max(0, from - offset));
      if (before < bytes.length) yield bytes.subarray(before);
    }
  }
}
