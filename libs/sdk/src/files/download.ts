import type { CallOptions } from '../http/api-request.ts';
import type { RemoteContent } from './remote-content.ts';

/** A file whose content is known by size and digest. */
export interface RemoteOutput {
  /** Where it belongs, relative to the directory. */
  path: string;
  /** Bytes. */
  size: number;
  sha256: string;
  content: RemoteContent;
}

export interface DownloadProgress {
  /** The file that is being downloaded. */
  path: string;
  /** Bytes of all files that are there, of how many. */
  bytes: number;
  totalBytes: number;
}

export interface DownloadOptions extends CallOptions {
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Replace files that are there with other content. Default: false. */
  overwrite?: boolean | undefined;
}

export interface DownloadedFile {
  /** Relative to the directory, with forward slashes. */
  path: string;
  /** Where it is on this machine. */
  localPath: string;
  /** Bytes. */
  size: number;
  sha256: string;
}
