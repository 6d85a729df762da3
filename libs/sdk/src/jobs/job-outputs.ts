import type { OutputFile } from '../api-types.ts';
import type { DownloadedFile, DownloadOptions } from '../files/download.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import type { Platform } from '../platform.ts';
import { runFilePath } from './run-file-path.ts';

/** What a job has left that matches its `outputs`. */
export class JobOutputs {
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #jobId: string;

  constructor(transport: Transport, platform: Platform, jobId: string) {
    this.#transport = transport;
    this.#platform = platform;
    this.#jobId = jobId;
  }

  /** The outputs with their digests; none before the job has ended. */
  async list({ signal }: CallOptions = {}): Promise<OutputFile[]> {
    const { items } = await this.#transport.json<{ items: OutputFile[] }>({
      method: 'GET',
      path: requestPath('v1', 'jobs', this.#jobId, 'outputs'),
      repeatable: true,
      signal,
    });
    return items;
  }

  /**
   * Downloads all outputs below a directory, which is made where it is missing. Each file is checked against its
   * digest before it takes its place; what an earlier call left unfinished in a `.part` file is completed, and what
   * is there already is not fetched again. Needs a file system: Node, Deno or Bun.
   * @throws FileExistsError where a file is there with other content and `overwrite` is not set
   * @throws IntegrityError where the content does not have its digest
   * @throws UnsafePathError where a path would leave the directory; then nothing is written
   * @throws UnsupportedError in browsers
   */
  async download(directory: string, options: DownloadOptions = {}): Promise<DownloadedFile[]> {
    const outputs = await this.list(options);
    const files = outputs.map(({ path, size, sha256 }) => ({
      path,
      size,
      sha256,
      content: { path: runFilePath(this.#jobId, path), sha256 },
    }));
    return this.#platform.download(this.#transport, files, directory, options);
  }
}
