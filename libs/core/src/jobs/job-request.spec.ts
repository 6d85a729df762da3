import { describe, expect, it } from 'vitest';
import { fieldPath } from '../vocabulary/field-path.ts';
import { jobRequestSchema, MAX_INLINE_CHARACTERS } from './job-request.ts';

const ARTIFACT = `art_${'0'.repeat(26)}`;
const COMMAND = { command: ['hostname'] };
const MPI = { mpi: { source: { name: 'a.c', content: 'x' } } };

/** The fields at fault; a field that is not known is named with its place. */
function faultyFields(body: unknown): string[] {
  const { error } = jobRequestSchema.safeParse(body);
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => fieldPath([...issue.path, key]))
      : [fieldPath(issue.path)],
  );
}

const input = (fields: object) => ({ ...COMMAND, inputs: [{ path: 'a', content: '', ...fields }] });
const mpi = (fields: object) => ({ mpi: { ...MPI.mpi, ...fields } });
const source = (fields: object) => ({ mpi: { source: { ...MPI.mpi.source, ...fields } } });
const program = (fields: object) => ({ mpi: { program: './a', ...fields } });

describe('a job request', () => {
  it('may be as short as a command, and gets its defaults', () => {
    expect(jobRequestSchema.parse(COMMAND)).toEqual({
      ...COMMAND,
      exclusive: false,
      env: {},
      inputs: [],
      outputs: [],
      labels: {},
    });
    expect(jobRequestSchema.parse(MPI).mpi).toEqual({
      ...MPI.mpi,
      args: [],
      compilerFlags: ['-O2'],
      launcher: 'mpirun',
    });
  });

  it('is the same when it is read again', () => {
    const body = {
      mpi: {
        source: { name: 'wave.f90', artifact: ARTIFACT },
        args: ['-x', 'a b'],
        compilerFlags: ['-O3', '-I/usr/include'],
      },
      name: 'Wave 1.0_+=:@-',
      nodes: 2,
      tasks: 8,
      memory: '1G',
      timeLimit: '2h',
      partition: 'short',
      constraint: 'rpi4&arm64|(a,b)*2',
      env: { OMP_NUM_THREADS: '4', _x: '' },
      inputs: [{ path: 'in/data.bin', artifact: ARTIFACT, mode: '0755' }],
      outputs: ['*.csv', 'results/**'],
      labels: { 'team/project': 'physics = ö', a: '' },
    };
    const parsed = jobRequestSchema.parse(body);
    expect(jobRequestSchema.parse(parsed)).toEqual(parsed);
    expect(parsed).toMatchObject(body);
  });

  it.each<[string, unknown, string[]]>([
    // What is to run
    ['nothing', {}, ['']],
    ['no object', 'x', ['']],
    ['null', null, ['']],
    ['a list', [], ['']],
    ['nothing to run', { name: 'x' }, ['']],
    ['two things to run', { ...COMMAND, script: '#!/bin/sh\n' }, ['']],
    ['three things to run', { ...COMMAND, ...MPI, script: '#!/bin/sh\n' }, ['']],
    ['an unknown field', { ...COMMAND, shell: true }, ['shell']],
    ['two unknown fields', { ...COMMAND, array: '1-3', user: 'root' }, ['array', 'user']],
    ['a field in other letters', { ...COMMAND, timelimit: '1h' }, ['timelimit']],

    ['a command that is text', { command: 'hostname' }, ['command']],
    ['an empty command', { command: [] }, ['command']],
    ['a command without program', { command: ['', 'x'] }, ['command']],
    ['a command with a number', { command: ['sleep', 1] }, ['command[1]']],
    ['a command with NUL', { command: ['a', 'b\0c'] }, ['command[1]']],
    ['a command with an escape', { command: ['\x1b[2J'] }, ['command[0]']],
    ['a command with half a character', { command: ['\ud800'] }, ['command[0]']],
    ['an argument that is too long', { command: ['a', 'x'.repeat(32 * 1024 + 1)] }, ['command[1]']],
    ['too many arguments', { command: Array(1001).fill('x') }, ['command']],

    ['an empty script', { script: '' }, ['script', 'script']],
    ['a script without interpreter', { script: 'hostname\n' }, ['script']],
    ['a script with DOS lines', { script: '#!/bin/sh\r\nid\r\n' }, ['script']],
    ['a script with NUL', { script: '#!/bin/sh\n\0' }, ['script']],
    ['a script that is too long', { script: `#!${'x'.repeat(MAX_INLINE_CHARACTERS)}` }, ['script']],
    ['a script that is no text', { script: ['#!/bin/sh'] }, ['script']],

    ['an empty MPI program', { mpi: {} }, ['mpi']],
    ['an MPI source and a program', mpi({ program: './a' }), ['mpi']],
    ['an unknown MPI field', mpi({ np: 4 }), ['mpi.np']],
    ['an MPI source without content', { mpi: { source: { name: 'a.c' } } }, ['mpi.source']],
    ['an MPI source with two contents', source({ artifact: ARTIFACT }), ['mpi.source']],
    ['an MPI program without name', program({ program: '' }), ['mpi.program']],
    ['an MPI program with NUL', program({ program: 'a\0' }), ['mpi.program']],
    ['an MPI argument with NUL', program({ args: ['\0'] }), ['mpi.args[0]']],
    ['an unknown launcher', program({ launcher: 'mpiexec; id' }), ['mpi.launcher']],
    ['a source of no known language', source({ name: 'a.py' }), ['mpi.source.name']],
    ['a source without ending', source({ name: 'a' }), ['mpi.source.name']],
    ['a source in another directory', source({ name: '../a.c' }), ['mpi.source.name']],
    ['a source below a directory', source({ name: 'b/a.c' }), ['mpi.source.name']],
    ['a source with an absolute name', source({ name: '/a.c' }), ['mpi.source.name']],
    ['a source that looks like an option', source({ name: '-o.c' }), ['mpi.source.name']],
    ['a hidden source', source({ name: '.c' }), ['mpi.source.name']],
    ['a source with a line end', source({ name: 'a.c\n' }), ['mpi.source.name']],
    ['a source with NUL', source({ name: 'a\0.c' }), ['mpi.source.name']],
    ['a source with a command in its name', source({ name: '$(id).c' }), ['mpi.source.name']],
    ['a flag that is no flag', mpi({ compilerFlags: ['x.c'] }), ['mpi.compilerFlags[0]']],
    ['a flag with white space', mpi({ compilerFlags: ['-O2', '-D A'] }), ['mpi.compilerFlags[1]']],
    ['a flag with a command', mpi({ compilerFlags: ['-D$(id)'] }), ['mpi.compilerFlags[0]']],
    ['a flag with a quote', mpi({ compilerFlags: ["-D'"] }), ['mpi.compilerFlags[0]']],
    ['a flag with a line end', mpi({ compilerFlags: ['-O2\n'] }), ['mpi.compilerFlags[0]']],

    // Resources
    ['no nodes', { ...COMMAND, nodes: 0 }, ['nodes']],
    ['fewer nodes than none', { ...COMMAND, nodes: -1 }, ['nodes']],
    ['half a node', { ...COMMAND, nodes: 1.5 }, ['nodes']],
    ['nodes as text', { ...COMMAND, nodes: '2' }, ['nodes']],
    ['too many nodes', { ...COMMAND, nodes: 10_001 }, ['nodes']],
    ['endless nodes', { ...COMMAND, nodes: Infinity }, ['nodes']],
    ['nodes that are no number', { ...COMMAND, nodes: NaN }, ['nodes']],
    ['a range of nodes', { ...COMMAND, nodes: '1-4' }, ['nodes']],
    ['too many tasks', { ...COMMAND, tasks: 1_000_001 }, ['tasks']],
    ['more tasks than can be counted', { ...COMMAND, tasks: 1e300 }, ['tasks', 'tasks']],
    ['no tasks on a node', { ...COMMAND, tasksPerNode: 0 }, ['tasksPerNode']],
    ['too many CPUs', { ...COMMAND, cpusPerTask: 1e6 }, ['cpusPerTask']],
    ['memory as a number', { ...COMMAND, memory: 512 }, ['memory']],
    ['memory without unit', { ...COMMAND, memory: '512' }, ['memory']],
    ['no memory', { ...COMMAND, memory: '0M' }, ['memory']],
    ['absurd memory', { ...COMMAND, memory: '99999999999G' }, ['memory']],
    ['time as a number', { ...COMMAND, timeLimit: 60 }, ['timeLimit']],
    ['time without unit', { ...COMMAND, timeLimit: '60' }, ['timeLimit']],
    ['no time', { ...COMMAND, timeLimit: '0s' }, ['timeLimit']],
    ['more time than a year', { ...COMMAND, timeLimit: '367d' }, ['timeLimit']],
    ['null for a number', { ...COMMAND, nodes: null }, ['nodes']],
    ['exclusive as text', { ...COMMAND, exclusive: 'yes' }, ['exclusive']],

    // Environment, files, labels
    ['a variable with "="', { ...COMMAND, env: { 'A=B': 'x' } }, ['env.A=B']],
    ['a variable without name', { ...COMMAND, env: { '': 'x' } }, ['env.']],
    ['a variable with a command', { ...COMMAND, env: { 'A;id': 'x' } }, ['env.A;id']],
    ['a variable with a line end', { ...COMMAND, env: { 'A\n': 'x' } }, ['env.A\n']],
    ['a variable that is a digit', { ...COMMAND, env: { '1': 'x' } }, ['env.1']],
    ["a variable of Slurm's", { ...COMMAND, env: { SLURM_JOB_ID: '1' } }, ['env.SLURM_JOB_ID']],
    ["a variable of Bramble's", { ...COMMAND, env: { BRAMBLE_JOB_ID: '1' } }, ['env.BRAMBLE_JOB_ID']],
    ['a value that is a number', { ...COMMAND, env: { A: 1 } }, ['env.A']],
    ['a value with NUL', { ...COMMAND, env: { A: '\0' } }, ['env.A']],
    ['a value with half a character', { ...COMMAND, env: { A: '\udc00' } }, ['env.A']],
    ['a value that is too long', { ...COMMAND, env: { A: 'x'.repeat(32 * 1024 + 1) } }, ['env.A']],
    [
      'too many variables',
      { ...COMMAND, env: Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`A${index}`, ''])) },
      ['env'],
    ],
    ['an absolute input', input({ path: '/etc/cron.d/x' }), ['inputs[0].path']],
    ['an input outside', input({ path: '../x' }), ['inputs[0].path']],
    ['an input outside, by a detour', input({ path: 'a/../../x' }), ['inputs[0].path']],
    ['an input with NUL', input({ path: 'a\0b' }), ['inputs[0].path']],
    ['an input with a line end', input({ path: 'a\nb' }), ['inputs[0].path']],
    ['an input without name', input({ path: '' }), ['inputs[0].path', 'inputs[0].path']],
    ["an input in Bramble's directory", input({ path: '.bramble/claim/slurm_job_id' }), ['inputs[0].path']],
    ["an input in place of Bramble's directory", input({ path: '.bramble' }), ['inputs[0].path']],
    ['an input without content', input({ content: undefined }), ['inputs[0]']],
    ['an input with two contents', input({ artifact: ARTIFACT }), ['inputs[0]']],
    ['an input with NUL in its content', input({ content: '\0' }), ['inputs[0].content']],
    ['an artifact that is no id', input({ content: undefined, artifact: '../x' }), ['inputs[0].artifact']],
    ['a set-uid input', input({ mode: '4755' }), ['inputs[0].mode']],
    ['a mode as a number', input({ mode: 0o644 }), ['inputs[0].mode']],
    ['an unknown field of an input', input({ owner: 'root' }), ['inputs[0].owner']],
    [
      'an input that is named twice',
      {
        ...COMMAND,
        inputs: [
          { path: 'a', content: '' },
          { path: 'a', content: 'x' },
        ],
      },
      ['inputs[1].path'],
    ],
    [
      'an input below another',
      {
        ...COMMAND,
        inputs: [
          { path: 'a/b', content: '' },
          { path: 'a', content: 'x' },
        ],
      },
      ['inputs[0].path'],
    ],
    [
      'an input in place of the source',
      { ...MPI, inputs: [{ path: 'a.c', content: '' }] },
      ['inputs[0].path'],
    ],
    ['an input below the source', { ...MPI, inputs: [{ path: 'a.c/b', content: '' }] }, ['inputs[0].path']],
    [
      'too many inputs',
      {
        ...COMMAND,
        inputs: Array.from({ length: 1001 }, (_, index) => ({ path: `f${index}`, content: '' })),
      },
      ['inputs'],
    ],
    ['outputs outside', { ...COMMAND, outputs: ['../*'] }, ['outputs[0]']],
    ['outputs everywhere', { ...COMMAND, outputs: ['/**'] }, ['outputs[0]']],
    ['outputs with a line end', { ...COMMAND, outputs: ['a\n'] }, ['outputs[0]']],
    ['too many outputs', { ...COMMAND, outputs: Array(101).fill('*') }, ['outputs']],
    ['a label with white space', { ...COMMAND, labels: { 'a b': '' } }, ['labels.a b']],
    ['a label that ends in "/"', { ...COMMAND, labels: { 'a/': '' } }, ['labels.a/']],
    ['a label with a line end', { ...COMMAND, labels: { a: 'x\ny' } }, ['labels.a']],
    ['a label that is too long', { ...COMMAND, labels: { a: 'x'.repeat(256) } }, ['labels.a']],
  ])('is refused with %s, naming the field', (_, body, fields) => {
    expect(faultyFields(body)).toEqual(fields);
  });

  it('names every faulty field at once', () => {
    expect(faultyFields({ ...COMMAND, nodes: 0, memory: 'x', env: { '1': '' } }).sort()).toEqual([
      'env.1',
      'memory',
      'nodes',
    ]);
  });

  it('keeps variables whose names mean something to JavaScript', () => {
    const env = { constructor: 'b', toString: 'c' };
    expect(jobRequestSchema.parse({ ...COMMAND, env }).env).toEqual(env);
  });
});

/** Every field that the batch script holds between no quotes, or between plain double quotes. */
describe.each(['name', 'partition', 'constraint', 'account', 'qos', 'memory', 'timeLimit'])(
  'the field %s, which reaches an #SBATCH line',
  (field) => {
    const DANGEROUS = [
      '\n',
      '\r',
      '\0',
      '"',
      "'",
      '\\',
      '$',
      '`',
      ';',
      '<',
      '>',
      '#',
      '!',
      '?',
      '{',
      '}',
      '~',
      '%',
      '\t',
      '\x7f',
      '\u0085',
      '\u2028',
    ];

    it.each(DANGEROUS)('refuses %j, wherever it stands', (character) => {
      for (const value of [
        character,
        `a${character}`,
        `${character}a`,
        `a${character}b`,
        `1h${character}`,
        `1G${character}`,
      ]) {
        expect(faultyFields({ ...COMMAND, [field]: value }), JSON.stringify(value)).toContain(field);
      }
    });

    it.each(['--uid=0', 'a\n#SBATCH --uid=0', '$(id)', 'x'.repeat(300), ''])('refuses %j', (value) => {
      expect(faultyFields({ ...COMMAND, [field]: value })).toContain(field);
    });
  },
);
