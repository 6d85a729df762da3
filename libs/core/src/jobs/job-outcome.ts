import type { Reason, SlurmEnd } from './job.ts';
import type { FinalJobState } from './job-state.ts';
import { CLAIM_FAILED_STATUS, STARTED_AGAIN_STATUS } from './batch-script.ts';
import type { ExitRecord } from './run-directory.ts';

export interface Outcome {
  state: FinalJobState;
  exitCode: number | null;
  signal: number | null;
  reason: Reason | null;
}

/** In place of Slurm's `CANCELLED`, where the script had a node and never began, though nobody had asked Bramble to cancel. */
export const NOT_STARTED = 'NOT_STARTED';

/** Signals that end programs, by number, as Linux counts them on every architecture of a Pi (signal(7)). */
const SIGNAL_NAMES: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/**
 * How a job ended. Slurm's state decides why; the exit record knows the program's own status best, and speaks alone
 * where Slurm has forgotten the job.
 */
export function decideOutcome(end: SlurmEnd, record: ExitRecord | null, cancelRequested: boolean): Outcome {
  const status = readStatus(end, record);
  const state = end.state ?? forgottenState(status, cancelRequested);
  switch (state) {
    case 'COMPLETED':
      return { state: 'completed', exitCode: 0, signal: null, reason: null };
    case 'CANCELLED':
      return {
        state: 'cancelled',
        ...status,
        reason: {
          code: 'Cancelled',
          message: cancelRequested
            ? 'Cancelled as requested.'
            : 'Cancelled in Slurm, by its user or an administrator there.',
        },
      };
    case 'TIMEOUT':
      return {
        state: 'timed_out',
        ...status,
        reason: { code: 'TimeLimit', message: 'Ran into its time limit; ask for more with "timeLimit".' },
      };
    case 'DEADLINE':
      return {
        state: 'timed_out',
        ...status,
        reason: { code: 'Deadline', message: 'Could not end before its deadline.' },
      };
    case 'OUT_OF_MEMORY':
      return {
        state: 'out_of_memory',
        ...status,
        reason: {
          code: 'OutOfMemory',
          message: 'Needed more memory than it had asked for; ask for more with "memory".',
        },
      };
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return {
        state: 'node_failed',
        ...status,
        reason: { code: 'NodeFail', message: 'A node of the allocation failed.' },
      };
    case NOT_STARTED:
      return {
        state: 'node_failed',
        ...{ exitCode: null, signal: null },
        reason: {
          code: 'NotStarted',
          message:
            'Slurm gave it a node and took it back before the script began: nothing of it has run. The node could not start it, or ' +
            'it was cancelled in Slurm at that moment. Submit it again.',
        },
      };
    case 'PREEMPTED':
      return {
        state: 'failed',
        ...status,
        reason: { code: 'Preempted', message: 'Had to make room for a job of higher priority.' },
      };
    case 'FAILED':
      // The program's own record of a clean end: Slurm saw the end of a second start, which did nothing.
      if (record?.status === 0) return { state: 'completed', exitCode: 0, signal: null, reason: null };
      return { state: 'failed', ...status, reason: failure(end, record, status) };
    case 'LOST':
      return {
        state: 'failed',
        ...status,
        reason: {
          code: 'LostBySlurm',
          message: 'Slurm does not know the job any more, and it left no record of its end.',
        },
      };
    default:
      return {
        state: 'failed',
        ...status,
        reason: { code: state, message: `Ended in Slurm's state ${state}.` },
      };
  }
}

interface Status {
  exitCode: number | null;
  signal: number | null;
}

/** A shell says 128 + n for signal n; higher statuses can only come from exit(). */
export function readRecord({ status }: ExitRecord): Status {
  const signal = status - 128;
  return signal > 0 && signal <= 64 ? { exitCode: null, signal } : { exitCode: status, signal: null };
}

function readStatus(end: SlurmEnd, record: ExitRecord | null): Status {
  if (record !== null) return readRecord(record);
  if (end.signal !== null && end.signal > 0) return { exitCode: null, signal: end.signal };
  // Slurm also says 0 of what did not come to an exit of its own.
  return { exitCode: end.exitCode === 0 && end.state !== null ? null : end.exitCode, signal: null };
}

function forgottenState(status: Status, cancelRequested: boolean): string {
  if (status.exitCode === 0) return 'COMPLETED';
  return cancelRequested && status.signal !== null ? 'CANCELLED' : 'FAILED';
}

function failure(end: SlurmEnd, record: ExitRecord | null, { exitCode, signal }: Status): Reason {
  if (record?.phase === 'compile') {
    return {
      code: 'CompilationFailed',
      message: "The source did not compile; the compiler's messages are on stderr.",
    };
  }
  if (signal !== null) {
    const name = SIGNAL_NAMES[signal] ?? `signal ${signal}`;
    return { code: 'Signal', message: `The program was ended by ${name}.` };
  }
  if (record === null && exitCode === CLAIM_FAILED_STATUS) {
    return {
      code: 'StorageUnavailable',
      message: 'The node could not use the run directory on the shared storage.',
    };
  }
  if (record === null && exitCode === STARTED_AGAIN_STATUS) {
    return {
      code: 'StartedAgain',
      message:
        'Slurm forgot that the job was running and started it again. It did not run twice, but its first run left no end.',
    };
  }
  if (exitCode === 127)
    return { code: 'ProgramNotFound', message: 'The program was not found on the node (exit code 127).' };
  if (exitCode === 126)
    return {
      code: 'NotExecutable',
      message: 'The program could not be executed on the node (exit code 126).',
    };
  if (exitCode !== null && exitCode !== 0)
    return { code: 'NonZeroExitCode', message: `The program ended with exit code ${exitCode}.` };
  return {
    code: end.reason === '' || end.reason === 'None' ? 'Failed' : end.reason,
    message: `Failed in Slurm: ${end.reason || 'no reason given'}.`,
  };
}
