import { expect, it } from 'vitest';
import type { CommandResult } from './command-transport.ts';
import { parse } from './scancel.ts';

const exited = (code: number, stderr: string): CommandResult => ({
  kind: 'exited',
  code,
  stdout: '',
  stderr,
});
const error = (text: string) =>
  `scancel: Terminating job 5\nscancel: error: Kill job error on job id 5: ${text}\n`;

it('says present where Slurm has heard', () => {
  expect(parse(exited(0, 'scancel: Terminating job 5\n'))).toEqual({ kind: 'present', value: true });
});

it.each(['Invalid job id specified', 'Job/step already completing or completed'])(
  'says absent after "%s"',
  (text) => {
    expect(parse(exited(0, error(text)))).toEqual({ kind: 'absent' });
  },
);

it.each<[string, CommandResult]>([
  ['somebody else has the job', exited(210, error('Access/permission denied'))],
  ['the controller is away', exited(8, error('Unable to contact slurm controller (connect failure)'))],
  ['the controller is silent', exited(0, error('Socket timed out on send/recv operation'))],
  ['it was not run', { kind: 'unreachable', because: 'no such program' }],
  ['the line broke', { kind: 'lost', because: 'reset', stdout: '', stderr: '' }],
])('says unknown where %s', (_, result) => {
  expect(parse(result)).toMatchObject({ kind: 'unknown' });
});
