import { expect, it } from 'vitest';
import type { CommandResult } from './command-transport.ts';
import { command, parse } from './getent-passwd.ts';

const exited = (code: number, stdout: string): CommandResult => ({
  kind: 'exited',
  code,
  stdout,
  stderr: '',
});

it('never takes a name for an option', () => {
  expect(command('-x')).toEqual(['getent', 'passwd', '--', '-x']);
});

it('reads an account', () => {
  expect(parse(exited(0, 'alice:x:1001:1002:Alice,,,:/home/alice:/bin/bash\n'), 'alice')).toEqual({
    kind: 'present',
    value: { name: 'alice', uid: 1001, gid: 1002, home: '/home/alice' },
  });
});

it("says absent for a name that is not there, and for a number that is somebody's uid", () => {
  expect(parse(exited(2, ''), 'nobody-here')).toEqual({ kind: 'absent' });
  expect(parse(exited(0, 'alice:x:1001:1002::/home/alice:/bin/bash\n'), '1001')).toEqual({ kind: 'absent' });
});

it.each([
  exited(1, ''),
  exited(0, ''),
  exited(0, 'alice:x:many:1:::\n'),
  { kind: 'unreachable', because: '' } as const,
])('says unknown after %j', (result) => {
  expect(parse(result, 'alice')).toMatchObject({ kind: 'unknown' });
});
