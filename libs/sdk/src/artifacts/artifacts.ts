import type { Artifact } from '../api-types.ts';
import type { DownloadedFile, DownloadOptions } from '../files/download.ts';
import type { LocalFile } from '../files/local-file.ts';
import { RemoteFile } from '../files/remote-file.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { type Page, Pages } from '../pages.ts';
import type { Platform } from '../platform.ts';
import { uploadFile, type UploadOptions, uploadStream } from './upload.ts';

export interface ArtifactQuery extends CallOptions {
  /** How many artifacts a page holds, 1 to 500. Default: 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** A file of which there is no more than its stream. */
export interface StreamedFile {
  name: string;
  stream: ReadableStream<Uint8Array>;
}

/** Uploaded files, kept by their content. */
export class Artifacts {
  readonly #transport: Transport;
  readonly #platform: Platform;

  constructor(transport: Transport, platform: Platform) {
    this.#transport = transport;
    this.#platform = platform;
  }

  /**
   * Uploads a file. A broken upload is repeated, except that of a stream, which can be read once only.
   * @throws ApiError 413 where it is larger than the server takes
   */
  upload(file: LocalFile | StreamedFile, options: UploadOptions = {}): Promise<Artifact> {
    return 'stream' in file
      ? uploadStream(this.#transport, file.name, file.stream, options)
      : uploadFile(this.#transport, this.#platform, file, options);
  }

  /** One's own artifacts, newest first. */
  list({ limit, cursor, signal }: ArtifactQuery = {}): Pages<Artifact> {
    return new Pages(cursor, (at) =>
      this.#transport.json<Page<Artifact>>({
        method: 'GET',
        path: '/v1/artifacts',
        query: { limit, cursor: at },
        repeatable: true,
        signal,
      }),
    );
  }

  /** @throws NotFoundError */
  get(id: string, { signal }: CallOptions = {}): Promise<Artifact> {
    return this.#transport.json({
      method: 'GET',
      path: requestPath('v1', 'artifacts', id),
      repeatable: true,
      signal,
    });
  }

  /** The content, to be read in memory or as a stream. */
  content(id: string): RemoteFile {
    return new RemoteFile(this.#transport, { path: contentPath(id) });
  }

  /**
   * Downloads an artifact into a directory, under its name. Needs a file system: Node, Deno or Bun.
   * @throws FileExistsError, IntegrityError, UnsupportedError
   */
  async download(id: string, directory: string, options: DownloadOptions = {}): Promise<DownloadedFile> {
    const { name, size, sha256 } = await this.get(id, options);
    const content = { path: contentPath(id), sha256 };
    const files = await this.#platform.download(
      this.#transport,
      [{ path: name, size, sha256, content }],
      directory,
      options,
    );
    const [file] = files;
    if (file === undefined) throw new Error('a download of one file gave none');
    return file;
  }
}

const contentPath = (id: string): string => requestPath('v1', 'artifacts', id, 'content');
