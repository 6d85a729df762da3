import { ApiError } from '../errors/api-error.ts';
import { ConnectionError } from '../errors/bramble-error.ts';
import { IntegrityError } from '../errors/file-errors.ts';
import { ANY_TYPE, type StreamedAnswer, type Transport } from '../http/transport.ts';

export interface RemoteContent {
  /** Path of the API that answers the content and takes `Range`. */
  path: string;
  /** SHA-256 of the content, where it is known; the API's ETag is made of it. */
  sha256?: string | undefined;
}

export interface ContentPiece {
  /** Where the piece begins, in bytes. */
  offset: number;
  bytes: Uint8Array;
}

/**
 * Reads content from byte `from`. A connection that breaks is taken up again by `Range` where it was, as long as
 * the content is the same. A first piece at offset 0 where more was asked for says that the content is not the one
 * that the bytes before `from` belong to, and that it comes whole.
 * @throws IntegrityError where the content has changed in the meantime
 */
export async function* readContent(
  transport: Transport,
  { path, sha256 }: RemoteContent,
  { from = 0, signal }: { from?: number; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ContentPiece, void, undefined> {
  const progress = new ContentProgress(path, from, sha256 === undefined ? undefined : `"${sha256}"`);
  let fruitless = 0;
  for (;;) {
    try {
      const answer = await open(transport, path, progress, signal);
      progress.begin(answer);
      for await (const bytes of answer.pieces) {
        yield { offset: progress.offset, bytes };
        progress.add(bytes.length);
        fruitless = 0;
      }
      if (progress.isComplete()) return;
      throw new ConnectionError(`GET ${path}: the answer ended after ${progress.offset} bytes, too early.`);
    } catch (error) {
      if (!transport.mayPass(error) || fruitless >= transport.settings.maxRetries) throw error;
      if (!progress.canGoOn()) throw error;
      await transport.pauseBeforeRepetition(fruitless, error, signal);
      fruitless += 1;
    }
  }
}

async function open(
  transport: Transport,
  path: string,
  progress: ContentProgress,
  signal: AbortSignal | undefined,
): Promise<StreamedAnswer> {
  const request = { method: 'GET', path, repeatable: true, signal } as const;
  try {
    return await transport.stream({ ...request, headers: progress.headers() }, ANY_TYPE);
  } catch (error) {
    const outOfRange = error instanceof ApiError && error.status === 416;
    if (!outOfRange || progress.begun) throw error;
    return transport.stream({ ...request, headers: IDENTITY }, ANY_TYPE);
  }
}

/** A compressed answer has other byte positions. */
const IDENTITY = { 'Accept-Encoding': 'identity' };

class ContentProgress {
  readonly #path: string;
  #validator: string | undefined;
  #size: number | undefined;
  offset: number;
  /** Whether any bytes have been handed out. */
  begun = false;

  constructor(path: string, from: number, validator: string | undefined) {
    this.#path = path;
    this.offset = from;
    this.#validator = validator;
  }

  headers(): Record<string, string> {
    if (this.offset === 0) return IDENTITY;
    const condition = this.#validator === undefined ? {} : { 'If-Range': this.#validator };
    return { ...IDENTITY, Range: `bytes=${this.offset}-`, ...condition };
  }

  /** Notes what the head of an answer says, and where its bytes begin. */
  begin({ status, headers }: StreamedAnswer): void {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
    const start = status === 206 ? Number(range?.[1]) : 0;
    if (start !== this.offset) {
      if (this.begun || start !== 0) {
        throw new IntegrityError(`GET ${this.#path}: the content has changed while it was read.`);
      }
      this.offset = 0;
    }
    this.#size = status === 206 ? Number(range?.[2]) : plainLength(headers);
    this.#validator ??= strongTag(headers.get('etag')) ?? headers.get('last-modified') ?? undefined;
  }

  add(bytes: number): void {
    this.begun = true;
    this.offset += bytes;
  }

  isComplete(): boolean {
    return this.#size === undefined || this.offset === this.#size;
  }

  /** Whether a second request would surely give the rest of the same content. */
  canGoOn(): boolean {
    return !this.begun || this.#validator !== undefined;
  }
}

const strongTag = (tag: string | null): string | undefined =>
  tag === null || tag.startsWith('W/') ? undefined : tag;

function plainLength(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? undefined : Number(length);
}
