import { CONTROL_DIRECTORY } from '#core/jobs/job-request';
import type { LogStream } from '#core/jobs/run-directory';
import { ConfinedDirectory, NotARegularFileError } from './confined-directory.ts';
import { isMissing } from './file-system-error.ts';
import { RegularFile } from './regular-file.ts';
import type { StorageLayout } from './storage-layout.ts';

/** Where Slurm appends what a program writes. */
export const LOG_NAMES: Record<LogStream, string> = { stdout: 'stdout.log', stderr: 'stderr.log' };

/**
 * The logs of jobs. Where none is there yet, or its account has put something else in its place, a log is empty.
 * Every method throws the file system's error where the storage cannot be read.
 */
export class RunLogs {
  readonly #layout: StorageLayout;

  constructor(layout: StorageLayout) {
    this.#layout = layout;
  }

  async size(jobId: string, stream: LogStream): Promise<number> {
    return (await this.#withLog(jobId, stream, async (log) => log.size)) ?? 0;
  }

  /** Empty at the end, and behind it: a log that was cut shows by `size`. */
  async read(jobId: string, stream: LogStream, offset: number, maximumBytes: number): Promise<Uint8Array> {
    const read = await this.#withLog(jobId, stream, (log) =>
      log.readUpTo(offset, Math.max(0, Math.min(maximumBytes, log.size - offset))),
    );
    return read ?? new Uint8Array();
  }

  /**
   * The last bytes as text, from the start of a line unless they are all of one line. What is not UTF-8 and NUL,
   * which PostgreSQL's text cannot hold, become U+FFFD.
   */
  async tail(jobId: string, stream: LogStream, maximumBytes: number): Promise<string> {
    const tail = await this.#withLog(jobId, stream, async (log) => {
      const start = Math.max(0, log.size - maximumBytes);
      const bytes = await log.readUpTo(start, log.size - start);
      return start === 0 ? bytes : fromLineStart(bytes);
    });
    return (tail?.toString('utf8') ?? '').replaceAll('\0', '\uFFFD');
  }

  async #withLog<T>(
    jobId: string,
    stream: LogStream,
    use: (log: RegularFile) => Promise<T>,
  ): Promise<T | undefined> {
    const log = await this.#open(jobId, stream);
    if (log === undefined) return undefined;
    try {
      return await use(log);
    } finally {
      await log.close();
    }
  }

  async #open(jobId: string, stream: LogStream): Promise<RegularFile | undefined> {
    try {
      const handle = await ConfinedDirectory.within(
        this.#layout.runDirectory(jobId),
        [CONTROL_DIRECTORY],
        (directory) => directory.openFile(LOG_NAMES[stream]),
      );
      return await RegularFile.of(handle);
    } catch (error) {
      if (!(error instanceof NotARegularFileError) && !isMissing(error)) throw error;
      await this.#layout.requireRuns();
      return undefined;
    }
  }
}

const NEWLINE = 0x0a;

function fromLineStart(bytes: Buffer): Buffer {
  const lineEnd = bytes.indexOf(NEWLINE);
  if (lineEnd >= 0 && lineEnd < bytes.length - 1) return bytes.subarray(lineEnd + 1);
  const characterStart = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return bytes.subarray(Math.max(0, characterStart));
}
