import { isFinal } from './job-state.ts';
import type { JobStore } from './job-store.ts';
import type { LogStream } from './run-directory.ts';
import type { RunFiles } from './run-files.ts';

/** A piece of a log. Pieces follow one another without gaps. */
export interface LogPiece {
  /** Where the piece begins, in bytes from the start of the log. */
  offset: number;
  bytes: Uint8Array;
}

export interface FollowLogPorts {
  jobs: JobStore;
  files: RunFiles;
  /** Waits; ends early where the signal is aborted. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

const PIECE_BYTES = 64 * 1024;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Reads a log from `offset` to its end; with `follow`, to the end of the job. The storage is polled, because nothing
 * tells across NFS that a file has grown; the pause grows while nothing comes.
 */
export async function* followLog(
  ports: FollowLogPorts,
  jobId: string,
  options: { stream: LogStream; offset: number; follow: boolean; signal: AbortSignal },
): AsyncGenerator<LogPiece> {
  const { jobs, files, pause } = ports;
  const { stream, follow, signal } = options;
  let { offset } = options;
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!signal.aborted) {
    // The state is read before the log: what a finished job wrote is all there when the log is read after it.
    const job = follow ? await jobs.find(jobId) : undefined;
    const ended = !follow || job === undefined || isFinal(job.state);
    const bytes = await files.readLog(jobId, stream, offset, PIECE_BYTES);
    if (bytes.length > 0) {
      yield { offset, bytes };
      offset += bytes.length;
      pauseMs = SHORTEST_PAUSE_MS;
      continue;
    }
    if (ended) return;
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
}

/**
 * Where the last `lines` lines of a log begin, in bytes, looking back over at most `maximumBytes`.
 */
export async function tailOffset(
  files: RunFiles,
  jobId: string,
  stream: LogStream,
  lines: number,
  maximumBytes = 1024 * 1024,
): Promise<number> {
  const size = await files.logSize(jobId, stream);
  const from = Math.max(0, size - maximumBytes);
  const bytes = await files.readLog(jobId, stream, from, size - from);
  let left = lines;
  // The line end at the very end of the log ends the last line; it does not begin another.
  for (let index = bytes.length - 2; index >= 0; index -= 1) {
    if (bytes[index] === 0x0a && --left === 0) return from + index + 1;
  }
  return from;
}

/** How many of the bytes make whole UTF-8 characters; the rest wants the next piece. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
