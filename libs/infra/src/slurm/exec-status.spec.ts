import { describe, expect, it } from 'vitest';
import { readExecStatus } from './exec-status.ts';

const internal = (message: string) =>
  JSON.stringify({ status: 'Failure', reason: 'InternalError', message, code: 500 });

describe('the status of a command in a container', () => {
  it('has the exit code', () => {
    expect(readExecStatus('{"metadata":{},"status":"Success"}')).toEqual({ kind: 'exited', code: 0 });
    const status = (code: string) =>
      JSON.stringify({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        message: `command terminated with non-zero exit code: exit status ${code}`,
        details: { causes: [{ reason: 'ExitCode', message: code }] },
      });
    expect(readExecStatus(status('137'))).toEqual({ kind: 'exited', code: 137 });
    expect(readExecStatus(status('seven'))).toMatchObject({ kind: 'lost' });
  });

  it.each([
    'Internal error occurred: unable to upgrade connection: container not found ("login")',
    'Internal error occurred: error sending request: Post "https://10.0.0.101:10250/exec/slurm/slurm-0/login": dial tcp 10.0.0.101:10250: connect: connection refused',
    'error dialing backend: dial tcp 10.0.0.101:10250: i/o timeout',
    'error executing command in container: failed to exec in container: OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH',
  ])('tells what was never started: %s', (message) => {
    expect(readExecStatus(internal(message))).toEqual({ kind: 'unreachable', because: message });
  });

  it('takes all else for an end that is not known', () => {
    const message = 'error executing command in container: context canceled';
    expect(readExecStatus(internal(message))).toEqual({ kind: 'lost', because: message });
    for (const text of ['', 'null', '<html>', '{"status":1}', '{"status":"Failure"}'])
      expect(readExecStatus(text)).toMatchObject({
        kind: 'lost',
        because: expect.stringMatching(/./) as string,
      });
  });
});
