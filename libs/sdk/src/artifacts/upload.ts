import type { Artifact } from '../api-types.ts';
import type { LocalFile } from '../files/local-file.ts';
import { blobOf } from '../files/local-file.ts';
import { sha256Of } from '../files/sha256.ts';
import type { CallOptions } from '../http/api-request.ts';
import type { Transport } from '../http/transport.ts';
import type { Platform } from '../platform.ts';

export interface UploadProgress {
  /** Bytes that have been handed to the network; begins again at 0 where the upload is repeated. */
  bytes: number;
  totalBytes: number;
}

export interface UploadOptions extends CallOptions {
  /** Browsers tell the end only. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** A connection slower than this counts as broken. */
const LEAST_BYTES_PER_MS = 50;

/** Uploads a file with its digest, which the server checks. The same content twice is kept once, so it may be repeated. */
export async function uploadFile(
  transport: Transport,
  platform: Platform,
  file: LocalFile,
  { signal, onProgress }: UploadOptions,
): Promise<Artifact> {
  const blob = blobOf(file);
  const sha256 = await sha256Of(blob, platform.sha256(), signal);
  const report = (bytes: number) => onProgress?.({ bytes, totalBytes: blob.size });
  const counted = onProgress !== undefined && platform.streamsRequestBodies && blob.size > 0;
  const artifact = await transport.json<Artifact>({
    method: 'POST',
    path: '/v1/artifacts',
    query: { name: file.name },
    headers: { 'Content-Type': 'application/octet-stream', 'X-Content-SHA256': sha256 },
    body: () => (counted ? countBytes(blob.stream(), report) : blob),
    repeatable: true,
    timeoutMs: transport.settings.timeoutMs + blob.size / LEAST_BYTES_PER_MS,
    signal,
  });
  if (!counted) report(blob.size);
  return artifact;
}

/** Uploads what can be read once only: without a digest, and never repeated. */
export async function uploadStream(
  transport: Transport,
  name: string,
  stream: ReadableStream<Uint8Array>,
  { signal, onProgress }: UploadOptions,
): Promise<Artifact> {
  return transport.json<Artifact>({
    method: 'POST',
    path: '/v1/artifacts',
    query: { name },
    headers: { 'Content-Type': 'application/octet-stream' },
    body: () => countBytes(stream, (bytes) => onProgress?.({ bytes, totalBytes: NaN })),
    repeatable: false,
    timeoutMs: Infinity,
    signal,
  });
}

function countBytes(
  source: ReadableStream<Uint8Array>,
  report: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        report(bytes);
        controller.enqueue(chunk);
      },
    }),
  );
}
