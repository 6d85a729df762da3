import { describe, expect, it } from 'vitest';
import type { SlurmEnd } from './job.ts';
import { decideOutcome } from './job-outcome.ts';
import type { ExitRecord } from './run-directory.ts';

const end = (state: string | null, status: Partial<SlurmEnd> = {}): SlurmEnd => ({
  state,
  reason: 'None',
  exitCode: null,
  signal: null,
  ...status,
});
const record = (status: number, phase: ExitRecord['phase'] = 'run'): ExitRecord => ({
  slurmJobId: 7,
  phase,
  status,
  endedAt: 1_800_000_000,
});

type Row = [
  what: string,
  end: SlurmEnd,
  record: ExitRecord | null,
  cancelRequested: boolean,
  outcome: [state: string, exitCode: number | null, signal: number | null, reason: string | null],
];

const ROWS: Row[] = [
  ['a program that ended with 0', end('COMPLETED'), record(0), false, ['completed', 0, null, null]],
  ['a completed job without record', end('COMPLETED'), null, false, ['completed', 0, null, null]],
  [
    'a job that completed before it could be cancelled',
    end('COMPLETED'),
    record(0),
    true,
    ['completed', 0, null, null],
  ],
  ['exit code 3', end('FAILED'), record(3), false, ['failed', 3, null, 'NonZeroExitCode']],
  [
    'exit code 3, known from Slurm alone',
    end('FAILED', { exitCode: 3 }),
    null,
    false,
    ['failed', 3, null, 'NonZeroExitCode'],
  ],
  ['exit code 255', end('FAILED'), record(255), false, ['failed', 255, null, 'NonZeroExitCode']],
  [
    'exit code 128, which names no signal',
    end('FAILED'),
    record(128),
    false,
    ['failed', 128, null, 'NonZeroExitCode'],
  ],
  [
    'exit code 193, above all signals',
    end('FAILED'),
    record(193),
    false,
    ['failed', 193, null, 'NonZeroExitCode'],
  ],
  ['SIGSEGV', end('FAILED'), record(139), false, ['failed', null, 11, 'Signal']],
  ['the last of the real-time signals', end('FAILED'), record(192), false, ['failed', null, 64, 'Signal']],
  [
    'a signal, known from Slurm alone',
    end('FAILED', { exitCode: 0, signal: 9 }),
    null,
    false,
    ['failed', null, 9, 'Signal'],
  ],
  [
    'a program that is not there',
    end('FAILED'),
    record(127),
    false,
    ['failed', 127, null, 'ProgramNotFound'],
  ],
  [
    'a program that cannot be executed',
    end('FAILED'),
    record(126),
    false,
    ['failed', 126, null, 'NotExecutable'],
  ],
  [
    'a source that does not compile',
    end('FAILED'),
    record(1, 'compile'),
    false,
    ['failed', 1, null, 'CompilationFailed'],
  ],
  [
    'a storage that was away',
    end('FAILED', { exitCode: 75 }),
    null,
    false,
    ['failed', 75, null, 'StorageUnavailable'],
  ],
  ["a program's own exit code 75", end('FAILED'), record(75), false, ['failed', 75, null, 'NonZeroExitCode']],
  [
    'a failure without any status',
    end('FAILED', { reason: 'JobLaunchFailure' }),
    null,
    false,
    ['failed', null, null, 'JobLaunchFailure'],
  ],
  ['a failure without any word', end('FAILED'), null, false, ['failed', null, null, 'Failed']],
  ['a cancelled job', end('CANCELLED'), record(143), true, ['cancelled', null, 15, 'Cancelled']],
  [
    'a job that waited when it was cancelled',
    end('CANCELLED'),
    null,
    true,
    ['cancelled', null, null, 'Cancelled'],
  ],
  [
    'a job that somebody cancelled in Slurm',
    end('CANCELLED'),
    null,
    false,
    ['cancelled', null, null, 'Cancelled'],
  ],
  [
    'a program that ended well though cancelled',
    end('CANCELLED'),
    record(0),
    true,
    ['cancelled', 0, null, 'Cancelled'],
  ],
  [
    'a job of which Slurm says 0:0 though it never began',
    end('CANCELLED', { exitCode: 0, signal: 0 }),
    null,
    true,
    ['cancelled', null, null, 'Cancelled'],
  ],
  [
    'a job of which Slurm says 0:0 though it failed',
    end('FAILED', { reason: 'JobLaunchFailure', exitCode: 0, signal: 0 }),
    null,
    false,
    ['failed', null, null, 'JobLaunchFailure'],
  ],
  ['the time limit', end('TIMEOUT'), record(143), false, ['timed_out', null, 15, 'TimeLimit']],
  ['the time limit, without record', end('TIMEOUT'), null, false, ['timed_out', null, null, 'TimeLimit']],
  ['a deadline', end('DEADLINE'), null, false, ['timed_out', null, null, 'Deadline']],
  ['too little memory', end('OUT_OF_MEMORY'), record(137), false, ['out_of_memory', null, 9, 'OutOfMemory']],
  ['a node that failed', end('NODE_FAIL'), null, false, ['node_failed', null, null, 'NodeFail']],
  [
    'a node that could not start it',
    end('NOT_STARTED'),
    null,
    false,
    ['node_failed', null, null, 'NotStarted'],
  ],
  ['a node that did not boot', end('BOOT_FAIL'), null, false, ['node_failed', null, null, 'NodeFail']],
  ['a job that had to make room', end('PREEMPTED'), record(143), false, ['failed', null, 15, 'Preempted']],
  ['a job without trace', end('LOST'), null, false, ['failed', null, null, 'LostBySlurm']],
  [
    'a state that only a newer Slurm has',
    end('HIBERNATED'),
    record(1),
    false,
    ['failed', 1, null, 'HIBERNATED'],
  ],
  ['a forgotten job that ended with 0', end(null), record(0), false, ['completed', 0, null, null]],
  [
    'a forgotten job that ended with 0 though cancelled',
    end(null),
    record(0),
    true,
    ['completed', 0, null, null],
  ],
  [
    'a forgotten job whose record cannot be read again',
    end(null, { exitCode: 0 }),
    null,
    false,
    ['completed', 0, null, null],
  ],
  [
    'a forgotten job that a signal ended, whose record cannot be read again',
    end(null, { signal: 15 }),
    null,
    true,
    ['cancelled', null, 15, 'Cancelled'],
  ],
  ['a forgotten job that ended with 3', end(null), record(3), false, ['failed', 3, null, 'NonZeroExitCode']],
  [
    'a forgotten job that was cancelled, and ended with 3',
    end(null),
    record(3),
    true,
    ['failed', 3, null, 'NonZeroExitCode'],
  ],
  ['a forgotten job that a signal ended', end(null), record(143), false, ['failed', null, 15, 'Signal']],
  ['a forgotten job that was cancelled', end(null), record(143), true, ['cancelled', null, 15, 'Cancelled']],
  [
    'a forgotten job that did not compile',
    end(null),
    record(1, 'compile'),
    false,
    ['failed', 1, null, 'CompilationFailed'],
  ],
];

describe('decideOutcome', () => {
  it.each(ROWS)(
    'decides on %s',
    (_, slurmEnd, exitRecord, cancelRequested, [state, exitCode, signal, code]) => {
      const outcome = decideOutcome(slurmEnd, exitRecord, cancelRequested);
      expect({ ...outcome, reason: outcome.reason?.code ?? null }).toEqual({
        state,
        exitCode,
        signal,
        reason: code,
      });
    },
  );

  it('tells who cancelled', () => {
    expect(decideOutcome(end('CANCELLED'), null, true).reason?.message).toContain('as requested');
    expect(decideOutcome(end('CANCELLED'), null, false).reason?.message).toContain('in Slurm');
  });

  it('names signals as people do, and others by number', () => {
    expect(decideOutcome(end('FAILED'), record(139), false).reason?.message).toContain('SIGSEGV');
    expect(decideOutcome(end('FAILED'), record(128 + 40), false).reason?.message).toContain('signal 40');
  });
});
