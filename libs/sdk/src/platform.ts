import type { DownloadedFile, DownloadOptions, RemoteOutput } from './files/download.ts';
import type { Sha256 } from './files/sha256.ts';
import type { Transport } from './http/transport.ts';

/** What differs between Node-like runtimes and browsers. */
export interface Platform {
  /** A variable of the environment; undefined where there is none. */
  environment(name: string): string | undefined;
  sha256(): Sha256;
  /** Whether `fetch` sends a body while it is being produced. Browsers do over HTTP/2 only, or not at all. */
  streamsRequestBodies: boolean;
  /** @throws UnsupportedError where there is no file system */
  download(
    transport: Transport,
    files: readonly RemoteOutput[],
    directory: string,
    options: DownloadOptions,
  ): Promise<DownloadedFile[]>;
}
