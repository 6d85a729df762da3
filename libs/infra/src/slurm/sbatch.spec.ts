import { describe, expect, it } from 'vitest';
import type { CommandResult } from './command-transport.ts';
import { command, parse } from './sbatch.ts';

const exited = (code: number, stderr: string, stdout = ''): CommandResult => ({
  kind: 'exited',
  code,
  stdout,
  stderr,
});
const failed = (text: string, ...notes: string[]) =>
  exited(
    1,
    [...notes, `Batch job submission failed: ${text}`].map((line) => `sbatch: error: ${line}\n`).join(''),
  );

describe('sbatch', () => {
  it("has a bounded life, and hands on none of the worker's limits", () => {
    expect(command('/opt/slurm/bin/sbatch', 20)).toEqual([
      'timeout',
      '-k',
      '2',
      '20',
      '/opt/slurm/bin/sbatch',
      '--parsable',
      '--propagate=NONE',
    ]);
  });

  describe('has submitted', () => {
    it.each([
      ['an id', exited(0, '', '42\n'), { slurmJobId: 42, cluster: null }],
      ['an id with its cluster', exited(0, '', '42;pi\n'), { slurmJobId: 42, cluster: 'pi' }],
      [
        'an id behind the greeting of a shell',
        exited(0, '', 'Welcome!\n42\n'),
        { slurmJobId: 42, cluster: null },
      ],
      [
        'an id and a warning',
        exited(0, 'sbatch: warning: be kind\n', '42\n'),
        { slurmJobId: 42, cluster: null },
      ],
      [
        'an id before the line broke',
        { kind: 'lost', because: 'reset', stdout: '42\n', stderr: '' },
        { slurmJobId: 42, cluster: null },
      ],
      ['an id before it was killed', exited(124, '', '42\n'), { slurmJobId: 42, cluster: null }],
    ] as const)('where it printed %s', (_, result, outcome) => {
      expect(parse(result)).toEqual({ kind: 'submitted', ...outcome });
    });
  });

  describe('was refused', () => {
    it.each([
      [
        'InvalidMemory',
        failed('Requested node configuration is not available', 'Memory specification can not be satisfied'),
      ],
      ['NodeConfigurationNotAvailable', failed('Requested node configuration is not available')],
      ['InvalidAccount', failed('Invalid account or account/partition combination specified')],
      ['InvalidQOS', failed('Invalid qos specification')],
      ['InvalidUser', failed('Invalid user id')],
      [
        'QOSMaxWallDurationPerJobLimit',
        failed(
          "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
          'QOSMaxWallDurationPerJobLimit',
        ),
      ],
      ['RefusedBySite', failed('Unspecified error', 'Please say how long your job takes')],
      ['SubmissionRefused', failed('A reason that only a later Slurm has')],
      ['InvalidOption', exited(255, 'sbatch: error: Invalid --mem specification\n')],
      ['SubmissionRefused', exited(1, 'sbatch: error: The moon is full\n')],
    ])('%s', (code, result) => {
      expect(parse(result)).toMatchObject({ kind: 'refused', code });
    });

    it("in a sentence that says what would help, with Slurm's own words", () => {
      expect(
        parse(failed('Invalid partition name specified', 'invalid partition specified: nosuch')),
      ).toEqual({
        kind: 'refused',
        code: 'InvalidPartition',
        message:
          'The cluster has no such partition; choose one that it has (Slurm: invalid partition specified: nosuch; Invalid partition name specified).',
      });
    });
  });

  describe('may be tried later', () => {
    const policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
    it.each<[string, CommandResult]>([
      ['AssocMaxSubmitJobLimit', failed(policy, 'AssocMaxSubmitJobLimit')],
      ['QOSMaxSubmitJobPerUserLimit', failed(policy, 'QOSMaxSubmitJobPerUserLimit')],
      ['AccountingPolicy', failed(policy)],
      ['MaxJobCount', failed('Slurm temporarily unable to accept job, sleeping and retrying')],
      [
        'MaxJobCount',
        failed(
          'Resource temporarily unavailable',
          'Slurm temporarily unable to accept job, sleeping and retrying.',
        ),
      ],
      ['PartitionInactive', failed('Required partition not available (inactive or drain)')],
      ['SubmissionsDisabled', failed('System submissions disabled')],
      ['ControllerUnreachable', failed('Unable to contact slurm controller (connect failure)')],
      [
        'AuthenticationUnavailable',
        failed(
          'Protocol authentication error',
          'Munge encode failed: Failed to access "/run/munge/munge.socket.2"',
          'slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error',
        ),
      ],
      [
        'SlurmNotConfigured',
        exited(
          1,
          'sbatch: error: ClusterName needs to be specified\nsbatch: fatal: Unable to process configuration file\n',
        ),
      ],
      [
        'SubmitHostUnusable',
        exited(127, "timeout: failed to run command 'sbatch': No such file or directory\n"),
      ],
      ['SubmitHostUnusable', exited(125, 'only 3 of 9 bytes of input arrived\n')],
      ['SubmitHostUnreachable', { kind: 'unreachable', because: 'no route to the login node' }],
      ['CannotBecomeAccount', exited(1, 'sudo: a password is required\n')],
    ])('%s', (code, result) => {
      expect(parse(result)).toMatchObject({ kind: 'later', code });
    });
  });

  describe('is unclear', () => {
    it.each<[string, CommandResult]>([
      ['no answer in time', failed('Socket timed out on send/recv operation')],
      ['a broken answer', failed('Zero Bytes were transmitted or received')],
      ['a failed send', failed('Unable to contact slurm controller (send failure)')],
      ['a failed receive', failed('Unable to contact slurm controller (receive failure)')],
      ['an answer that could not be authenticated', failed('Protocol authentication error')],
      ["a later Slurm's trouble with the connection", failed('Connection reset by a peer that nobody knows')],
      [
        'sbatch ran out of time',
        exited(124, 'sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.\n'),
      ],
      ['timeout had to kill sbatch', exited(137, '')],
      ['no id although all went well', exited(0, '')],
      [
        'a number that a shell may have printed',
        exited(1, 'sbatch: error: Socket timed out\n', 'Welcome!\n42\n'),
      ],
      ['half an id', { kind: 'lost', because: 'reset', stdout: '42', stderr: '' }],
      ['an exit code without a word', exited(1, '')],
      ["words that are not sbatch's", exited(1, 'Segmentation fault\n')],
      ['a signal', { kind: 'signalled', signal: 'SIGKILL', stdout: '', stderr: '' }],
      ['a broken line', { kind: 'lost', because: 'reset', stdout: '', stderr: '' }],
      ['a transport that ran out of time', { kind: 'timed_out', afterMs: 1, stdout: '', stderr: '' }],
      ['endless output', { kind: 'flooded', limitBytes: 1, stdout: '', stderr: '' }],
    ])('after %s', (_, result) => {
      expect(parse(result)).toMatchObject({ kind: 'unclear' });
    });
  });
});
