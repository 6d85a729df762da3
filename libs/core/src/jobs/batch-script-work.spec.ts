import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchNode } from '../../../../test/fakes/batch-node.ts';
import { CLAIM_FAILED_STATUS } from './batch-script.ts';

let node: BatchNode;
beforeEach(() => {
  node = new BatchNode();
  // Writes what it was given, NUL after each, so that nothing can be mistaken.
  node.install('write-arguments', `#!/bin/sh\nprintf '%s\\0' "$@" > arguments\n`);
  node.install('write-environment', '#!/bin/sh\nexec /usr/bin/env -0 > environment\n');
});
afterEach(() => node.remove());

/** Commands that each try to leave the file `canary`. */
const INJECTIONS = [
  '; touch canary #',
  '$(touch canary)',
  '`touch canary`',
  '| touch canary',
  '&& touch canary',
  '& touch canary',
  '\ntouch canary\n',
  "'; touch canary; '",
  `'"; touch canary; "'`,
  '"; touch canary; "',
  "\\'; touch canary; \\'",
  '${x:-$(touch canary)}',
  '<(touch canary)',
  '> canary',
  "$'\\'; touch canary #'",
  '){ touch canary; }',
];
const EVERY_CHARACTER = [
  ...Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)),
  '\t',
  '\n',
  'ä',
  '日',
  '🍓',
];
const LITERALS = [
  '',
  ' ',
  ...INJECTIONS,
  ...EVERY_CHARACTER,
  EVERY_CHARACTER.join(''),
  '*',
  '~',
  '-n',
  '--',
  'a=b',
];

describe('the end of a job', () => {
  it.each([
    [0, ['true']],
    [3, ['bash', '-c', 'exit 3']],
    [255, ['bash', '-c', 'exit 255']],
    [139, ['bash', '-c', 'kill -SEGV $$']],
    [137, ['bash', '-c', 'kill -KILL $$']],
    [143, ['bash', '-c', 'kill -TERM $$']],
    [127, ['no-such-program']],
    [127, ['./no-such-program', 'x']],
    [127, ['no=such=program']],
    [126, ['/etc/passwd']],
    [126, ['/tmp']],
  ])('is recorded with status %i for %j', async (status, command) => {
    const before = Math.floor(Date.now() / 1000);
    await expect(node.run({ command, env: { A: 'b' } })).resolves.toEqual({ status, signal: null });
    expect(node.exitRecord()).toMatchObject({ slurmJobId: 7, phase: 'run', status });
    expect(node.startRecord()).toMatchObject({ slurmJobId: 7 });
    expect(node.startRecord()?.startedAt).toBeGreaterThanOrEqual(before);
    expect(node.exitRecord()?.endedAt).toBeGreaterThanOrEqual(before);
  });

  it('leaves no temporary files', async () => {
    await node.run({ script: '#!/bin/sh\ntrue\n' });
    expect(readdirSync(node.control).sort()).toEqual(['claim', 'exit', 'script', 'start']);
  });
});

describe('the command of a job', () => {
  it('gets its arguments to the letter, and nothing is executed', async () => {
    await expect(node.run({ command: ['write-arguments', ...LITERALS] })).resolves.toMatchObject({
      status: 0,
    });
    expect(node.read('arguments').split('\0').slice(0, -1)).toEqual(LITERALS);
    expect(node.has('canary')).toBe(false);
  });

  it.each(INJECTIONS)('is not executed where the name of the program is %j', async (program) => {
    await expect(node.run({ command: [program] })).resolves.toMatchObject({ status: 127 });
    expect(node.has('canary')).toBe(false);
  });

  it.each([
    ['eval', 'touch canary'],
    ['exit', '0'],
    ['source', '/dev/null'],
    ['run', 'run', 'touch', 'canary'],
    ['finish', 'run', '0'],
    ['record', 'exit', '{}'],
    ['if', 'true'],
    ['A=b', 'touch', 'canary'],
    ['-c', 'touch canary'],
    ['--help'],
  ])('is no word of the shell: %j', async (...command) => {
    await expect(node.run({ command, env: { A: 'b' } })).resolves.toMatchObject({ status: 127 });
    expect(node.has('canary')).toBe(false);
    expect(node.exitRecord()?.status).toBe(127);
  });

  it('may have "=" in its name', async () => {
    writeFileSync(join(node.runDirectory, 'a=b'), '#!/bin/sh\nprintf %s "$A" > out\n', { mode: 0o755 });
    await expect(node.run({ command: ['./a=b'], env: { A: 'value' } })).resolves.toMatchObject({ status: 0 });
    expect(node.read('out')).toBe('value');
  });

  it('finds its standard input empty', async () => {
    await expect(node.run({ command: ['bash', '-c', 'read -r line; [ $? -eq 1 ]'] })).resolves.toMatchObject({
      status: 0,
    });
  });

  it.each(['INT', 'QUIT', 'HUP', 'TERM', 'PIPE', 'USR1'])('may catch SIG%s', async (signal) => {
    const command = ['bash', '-c', `trap "exit 9" ${signal}; kill -${signal} $$; exit 1`];
    await expect(node.run({ command })).resolves.toMatchObject({ status: 9 });
  });
});

describe('the environment of a job', () => {
  const readEnvironment = () =>
    Object.fromEntries(
      node
        .read('environment')
        .split('\0')
        .slice(0, -1)
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );

  it('has values to the letter, and nothing is executed', async () => {
    const env = Object.fromEntries(LITERALS.map((value, index) => [`VALUE_${index}`, value]));
    await expect(node.run({ command: ['write-environment'], env })).resolves.toMatchObject({ status: 0 });
    expect(readEnvironment()).toMatchObject(env);
    expect(node.has('canary')).toBe(false);
  });

  it.each([
    'control',
    'attempt',
    'holder',
    'status',
    'phase',
    'signals',
    'environment',
    'IFS',
    'UID',
    'EUID',
    'PPID',
    'GROUPS',
    'SECONDS',
    'RANDOM',
    'LINENO',
    'BASHPID',
    'BASHOPTS',
    'SHELLOPTS',
    'BASH_VERSINFO',
    'BASH_COMPAT',
    'BASH_XTRACEFD',
    'FUNCNEST',
    'POSIXLY_CORRECT',
    'OPTIND',
    'LC_ALL',
    'TMPDIR',
    'HOME',
  ])('may set %s, which changes nothing in how the job is recorded', async (name) => {
    const command = ['/bin/cp', '/proc/self/environ', 'environment'];
    await expect(node.run({ command, env: { [name]: '1' } })).resolves.toMatchObject({ status: 0 });
    expect(readEnvironment()).toMatchObject({ [name]: '1' });
    expect(node.exitRecord()?.status).toBe(0);
    expect(node.log('stderr')).toBe('');
  });

  it('may set PATH, in which the program is found', async () => {
    const env = { PATH: node.bin };
    await expect(node.run({ command: ['write-arguments', 'x'], env })).resolves.toMatchObject({ status: 0 });
    expect(node.read('arguments')).toBe('x\0');
    expect(node.exitRecord()?.status).toBe(0);
  });

  it("may set LD_PRELOAD to what is not there, which is only the program's trouble", async () => {
    await expect(node.run({ command: ['true'], env: { LD_PRELOAD: '/no/such.so' } })).resolves.toMatchObject({
      status: 0,
    });
    expect(node.log('stderr').match(/LD_PRELOAD/g)).toHaveLength(1);
  });

  it("has the job's id", async () => {
    await node.run({ command: ['write-environment'] });
    expect(readEnvironment()).toMatchObject({ BRAMBLE_JOB_ID: /^job_/, SLURM_JOB_ID: '7' });
  });
});

describe('the script of a job', () => {
  it('is on the disk to the byte, and nothing in it is expanded before it runs', async () => {
    const text = [
      '#!/bin/bash',
      '#SBATCH --nodes=1',
      ...INJECTIONS.map((line) => `# ${line.replaceAll('\n', ' ')}`),
      `: ${EVERY_CHARACTER.filter((character) => !"'\n".includes(character))
        .map((character) => `'${character}'`)
        .join(' ')}`,
      'EOF',
      'END_OF_SCRIPT_job_00000000000000000000000002',
      '\ttabs\t',
      'trailing blanks   ',
      '',
      '\\',
      'exit 5',
      '',
      '',
    ].join('\n');
    await expect(node.run({ script: text })).resolves.toMatchObject({ status: 5 });
    expect(node.read('.bramble/script')).toBe(text);
    expect(node.has('canary')).toBe(false);
  });

  it('is given a line end behind its last line where it has none', async () => {
    await node.run({ script: '#!/bin/sh\nexit 4' });
    expect(node.read('.bramble/script')).toBe('#!/bin/sh\nexit 4\n');
    expect(node.exitRecord()?.status).toBe(4);
  });

  it('runs with the interpreter that it names', async () => {
    await expect(node.run({ script: '#!/usr/bin/env -S awk -f\nBEGIN { exit 6 }\n' })).resolves.toMatchObject(
      { status: 6 },
    );
  });

  it('may be of half a megabyte', async () => {
    const text = `#!/bin/sh\n${'# filler\n'.repeat(58_000)}exit 8\n`;
    await expect(node.run({ script: text })).resolves.toMatchObject({ status: 8 });
    expect(node.read('.bramble/script')).toBe(text);
  });

  it('is not run where it could not be written whole', async () => {
    const text = `#!/bin/sh\ntouch canary\n${'# filler\n'.repeat(1000)}`;
    const before = "trap '' XFSZ; ulimit -f 4";
    await expect(node.run({ script: text }, { before })).resolves.toMatchObject({
      status: CLAIM_FAILED_STATUS,
    });
    expect(node.has('canary')).toBe(false);
  });

  it('is not run where it could not be written at all', async () => {
    node.install('cat', '#!/bin/sh\nexit 1\n');
    const text = '#!/bin/sh\ntouch canary\n';
    await expect(node.run({ script: text })).resolves.toMatchObject({ status: CLAIM_FAILED_STATUS });
    expect(node.exitRecord()).toBeUndefined();
  });
});

describe('an MPI program', () => {
  const COMPILER = `#!/bin/sh
printf '%s\\n' "$@" >> compiler
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@" > program\\nexit 4\\n' > "$2"
chmod 0755 "$2"
`;
  const source = { name: 'wave.c', content: 'int main(void) { return 0; }' };

  beforeEach(() => node.install('mpirun', '#!/bin/sh\necho mpirun "$1" > launcher\nexec "$@"\n'));

  it('is compiled, then launched with its arguments', async () => {
    node.install('mpicc', COMPILER);
    const mpi = { source, args: ['a b', '$(touch canary)'], compilerFlags: ['-O2', '-DX=y'] };
    await expect(node.run({ mpi })).resolves.toMatchObject({ status: 4 });
    expect(node.read('compiler').split('\n')).toEqual(['-O2', '-DX=y', '-o', './wave', 'wave.c', '-lm', '']);
    expect(node.read('launcher')).toBe('mpirun ./wave\n');
    expect(node.read('program')).toBe('a b\n$(touch canary)\n');
    expect(node.exitRecord()).toMatchObject({ phase: 'run', status: 4 });
    expect(node.has('canary')).toBe(false);
  });

  it.each([
    ['a compiler that fails', '#!/bin/sh\necho "wave.c:1: error" >&2\nexit 1\n', 1],
    ['a compiler that crashes', '#!/bin/sh\nkill -SEGV $$\n', 139],
    ['no compiler', undefined, 127],
  ])('is not launched after %s', async (_, compiler, status) => {
    if (compiler === undefined) rmSync(join(node.bin, 'mpicc'), { force: true });
    else node.install('mpicc', compiler);
    const env = compiler === undefined ? { PATH: node.bin } : {};
    await expect(node.run({ mpi: { source }, env })).resolves.toMatchObject({ status });
    expect(node.exitRecord()).toMatchObject({ phase: 'compile', status });
    expect(node.has('launcher')).toBe(false);
  });
});

describe('a run directory that cannot be used', () => {
  const isUntouched = async (ended: ReturnType<BatchNode['run']>) => {
    await expect(ended).resolves.toEqual({ status: CLAIM_FAILED_STATUS, signal: null });
    expect(node.has('canary')).toBe(false);
    expect(node.log('stderr')).toContain('could not be claimed');
  };

  it('ends the job without work where it is not there', async () => {
    rmSync(node.control, { recursive: true });
    await isUntouched(node.run({ command: ['touch', 'canary'] }));
  });

  it('ends the job without work where it is read-only', async () => {
    chmodSync(node.control, 0o555);
    await isUntouched(node.run({ command: ['touch', 'canary'] }));
  });

  it('ends the job without work where it may not be entered', async () => {
    chmodSync(node.control, 0o000);
    await isUntouched(node.run({ command: ['touch', 'canary'] }));
    chmodSync(node.control, 0o755);
    expect(readdirSync(node.control)).toEqual([]);
  });

  it('ends the job without work, and without half a claim, where nothing can be written', async () => {
    const before = "trap '' XFSZ; ulimit -f 0";
    const ended = node.run({ command: ['touch', 'canary'] }, { before });
    await expect(ended).resolves.toMatchObject({ status: CLAIM_FAILED_STATUS });
    expect(node.has('canary')).toBe(false);
    expect(readdirSync(node.control)).toEqual([]);
  });
});
