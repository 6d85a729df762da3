import { describe, expect, it } from 'vitest';
import { parseSbatchDirectives } from './sbatch-directives.ts';

const fieldsOf = (...lines: string[]) => {
  const { fields, faults } = parseSbatchDirectives(['#!/bin/bash', ...lines, 'hostname', ''].join('\n'));
  expect(faults).toEqual([]);
  return fields;
};
const faultsOf = (...lines: string[]) =>
  parseSbatchDirectives(['#!/bin/bash', ...lines, 'hostname', ''].join('\n')).faults.map(
    ({ field, message }) => {
      expect(field).toBe('script');
      return message;
    },
  );

describe('an #SBATCH line', () => {
  it.each([
    ['--nodes=2', { nodes: 2 }],
    ['--nodes 2', { nodes: 2 }],
    ['-N 2', { nodes: 2 }],
    ['-N2', { nodes: 2 }],
    ['-N=2', { nodes: 2 }],
    ['--ntasks=4', { tasks: 4 }],
    ['-n4', { tasks: 4 }],
    ['--ntasks-per-node=2', { tasksPerNode: 2 }],
    ['--cpus-per-task=3', { cpusPerTask: 3 }],
    ['-c 3', { cpusPerTask: 3 }],
    ['--mem=512', { memory: '512M' }],
    ['--mem=2G', { memory: '2G' }],
    ['--mem=2g', { memory: '2G' }],
    ['--mem=2GB', { memory: '2G' }],
    ['--time=10', { timeLimit: '0-00:10:00' }],
    ['--time=10:30', { timeLimit: '0-00:10:30' }],
    ['--time=1:30:00', { timeLimit: '0-01:30:00' }],
    ['--time=1-12', { timeLimit: '1-12:00:00' }],
    ['-t 1-12:30:15', { timeLimit: '1-12:30:15' }],
    ['-t90', { timeLimit: '0-01:30:00' }],
    ['--partition=short', { partition: 'short' }],
    ['-p short', { partition: 'short' }],
    ['-pshort', { partition: 'short' }],
    ['--constraint="rpi4&arm64"', { constraint: 'rpi4&arm64' }],
    ["-C 'rpi4|rpi5'", { constraint: 'rpi4|rpi5' }],
    ['--account=physics', { account: 'physics' }],
    ['-A physics', { account: 'physics' }],
    ['--qos=high', { qos: 'high' }],
    ['-q high', { qos: 'high' }],
    ['--exclusive', { exclusive: true }],
    ['--job-name=test', { name: 'test' }],
    ['-J test', { name: 'test' }],
    ['--job-name="my test"', { name: 'my test' }],
    ["--job-name='my test'", { name: 'my test' }],
    ['--job-name "my test"', { name: 'my test' }],
    ['-J "my test"', { name: 'my test' }],
    ['--job-name=my" te"st', { name: 'my test' }],
    ['--nodes=2 --ntasks=4 -p short', { nodes: 2, tasks: 4, partition: 'short' }],
    ['--exclusive -N 2', { exclusive: true, nodes: 2 }],
    ['--nodes=2 # two are enough', { nodes: 2 }],
    ['\t--nodes=2\t', { nodes: 2 }],
    ['--nodes=2\r', { nodes: 2 }],
    ['', {}],
  ])('reads %j', (line, fields) => {
    expect(fieldsOf(`#SBATCH ${line}`)).toEqual(fields);
  });

  it.each([
    ['--array=1-10', '--array'],
    ['--array 1-10', '--array'],
    ['-a 1-10', '-a'],
    ['--output=out.log', '--output'],
    ['-o out.log', '-o'],
    ['-oout.log', '-oout.log'],
    ['--dependency=afterok:1', '--dependency'],
    ['--gres=gpu:1', '--gres'],
    ['--requeue', '--requeue'],
    ['--uid=0', '--uid'],
    ['--wrap=id', '--wrap'],
    ['--chdir /', '--chdir'],
    ['--__proto__=x', '--__proto__=x'],
    ['--constructor', '--constructor'],
    ['nodes=2', 'nodes=2'],
    ['-', '-'],
    ['--', '--'],
  ])('that Bramble cannot honour is a fault with its line: %s', (line, option) => {
    expect(faultsOf('# comment', `#SBATCH ${line}`)).toEqual([
      `line 3: "${option}" is not supported in #SBATCH; use the fields of the request`,
    ]);
  });

  it.each([
    ['--nodes', '--nodes', ''],
    ['--nodes=', '--nodes', ''],
    ['--nodes=two', '--nodes', 'two'],
    ['--nodes=2-4', '--nodes', '2-4'],
    ['-N -1', '--nodes', '-1'],
    ['--ntasks=1.5', '--ntasks', '1.5'],
    ['--ntasks=12345678', '--ntasks', '12345678'],
    ['--time=soon', '--time', 'soon'],
    ['--time=1h', '--time', '1h'],
    ['--time=UNLIMITED', '--time', 'UNLIMITED'],
    ['--time', '--time', ''],
    ['--exclusive=user', '--exclusive', 'user'],
  ])('with a value that is not understood is a fault with its line: %s', (line, option, value) => {
    expect(faultsOf(`#SBATCH ${line}`)).toEqual([
      `line 2: "${option}" has a value that is not understood: "${value}"`,
    ]);
  });

  it('takes no option for the value of the one before', () => {
    expect(faultsOf('#SBATCH --partition --nodes=2')).toEqual([
      'line 2: "--partition" has a value that is not understood: ""',
    ]);
  });
});

describe('the #SBATCH lines of a script', () => {
  it('all count, and the later wins', () => {
    expect(fieldsOf('#SBATCH -N 2', '', '# a comment', '   ', '#SBATCH -n 4', '#SBATCH -N 3')).toEqual({
      nodes: 3,
      tasks: 4,
    });
  });

  it('end where the first command stands', () => {
    expect(fieldsOf('#SBATCH -N 2', 'cd /tmp', '#SBATCH -N 3', '#SBATCH --array=1-3')).toEqual({ nodes: 2 });
  });

  it.each([
    '##SBATCH -N 9',
    '# SBATCH -N 9',
    '#sbatch -N 9',
    ' #SBATCH -N 9',
    '#SBATCHER -N 9',
    '#\tSBATCH -N 9',
  ])('do not include %j, as for sbatch', (line) => {
    expect(fieldsOf(line)).toEqual({});
  });

  it('name all faults at once', () => {
    expect(faultsOf('#SBATCH --array=1-3', '#SBATCH -N two --gres=x')).toHaveLength(3);
  });

  it('may be none', () => {
    expect(parseSbatchDirectives('')).toEqual({ fields: {}, faults: [] });
    expect(parseSbatchDirectives('#!/bin/sh')).toEqual({ fields: {}, faults: [] });
  });
});
