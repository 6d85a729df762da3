import type { LogStream } from '#core/jobs/run-directory';
import type { OpenFile, RunFile, RunFiles } from '#core/jobs/run-files';
import { notFound } from '#core/vocabulary/problem';

/** The logs of jobs, and no other files. */
export class MemoryRunFiles implements RunFiles {
  readonly #logs = new Map<string, Uint8Array>();

  append(jobId: string, stream: LogStream, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.#logs.set(key(jobId, stream), Buffer.concat([this.#log(jobId, stream), bytes]));
  }

  async list(): Promise<{ files: RunFile[]; truncated: boolean }> {
    return { files: [], truncated: false };
  }

  async open(_jobId: string, path: string): Promise<OpenFile> {
    throw notFound('file', path);
  }

  async readLog(jobId: string, stream: LogStream, offset: number, maximumBytes: number): Promise<Uint8Array> {
    return this.#log(jobId, stream).subarray(offset, offset + maximumBytes);
  }

  async logSize(jobId: string, stream: LogStream): Promise<number> {
    return this.#log(jobId, stream).length;
  }

  #log(jobId: string, stream: LogStream): Uint8Array {
    return this.#logs.get(key(jobId, stream)) ?? new Uint8Array();
  }
}

const key = (jobId: string, stream: LogStream): string => `${jobId}/${stream}`;
