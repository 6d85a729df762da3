import type { CallOptions } from '../http/api-request.ts';

export type LogStream = 'stdout' | 'stderr';

export interface LogLine {
  /** The line without its LF. Bytes that are no UTF-8 are U+FFFD. */
  text: string;
  stream: LogStream;
  /** Where the line begins in the log, in bytes; a later call can begin there. */
  offset: number;
}

export interface LogTextOptions extends CallOptions {
  /** Default: `stdout`. */
  stream?: LogStream | undefined;
  /** Begin this many bytes into the log. Default: at its beginning. */
  offset?: number | undefined;
  /** Begin at the last lines, this many (1 to 100000). */
  tail?: number | undefined;
}

export interface LogOptions extends LogTextOptions {
  /** Go on until the job has ended. Default: false. */
  follow?: boolean | undefined;
}
