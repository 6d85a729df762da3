import { z } from 'zod';
import type { LogStream } from './run-directory.ts';

export const runFileSchema = z
  .object({
    path: z.string().describe('Relative to the run directory.'),
    type: z.enum(['file', 'directory', 'symlink', 'other']),
    size: z.int().nonnegative().describe('Bytes; 0 for what is no file.'),
    mode: z.string().describe('Permissions, octal, such as `0644`.'),
    modifiedAt: z.iso.datetime(),
  })
  .meta({ id: 'RunFile' });
export type RunFile = z.output<typeof runFileSchema>;

/** A regular file that is open for reading. Who opens it closes it. */
export interface OpenFile {
  size: number;
  modifiedAt: Date;
  /** Bytes `start` to `end`, both included. */
  read(range?: { start: number; end: number }): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The run directories as readers see them. No symlink is ever followed: it could lead out of the directory. */
export interface RunFiles {
  /**
   * Entries of a directory below the run directory, in order of name; of all directories below it where `recursive`.
   * The control directory is left out.
   * @throws Problem `not_found`
   */
  list(
    jobId: string,
    directory: string,
    options: { recursive: boolean; limit: number },
  ): Promise<{ files: RunFile[]; truncated: boolean }>;

  /** @throws Problem `not_found`, or `not_a_regular_file` for directories, symlinks and devices */
  open(jobId: string, path: string): Promise<OpenFile>;

  /** Bytes of a log from `offset`, at most `maximumBytes`; empty at the end, and where there is no log yet. */
  readLog(jobId: string, stream: LogStream, offset: number, maximumBytes: number): Promise<Uint8Array>;

  /** Size of a log in bytes; 0 where there is none yet. */
  logSize(jobId: string, stream: LogStream): Promise<number>;
}
