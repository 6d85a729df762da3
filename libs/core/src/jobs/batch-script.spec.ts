import { describe, expect, it } from 'vitest';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { jobRequest } from '../../../../test/fakes/job-requests.ts';
import { renderBatchScript } from './batch-script.ts';
import type { JobRequestBody } from './job-request.ts';
import { parseSbatchDirectives } from './sbatch-directives.ts';

const render = (body: JobRequestBody, name = 'a name') =>
  renderBatchScript({
    jobId: idOf('job', 1),
    name,
    request: jobRequest(body),
    runDirectory: '/shared/runs/job_1',
  });

/** The lines that sbatch reads as its options: those before the first command. */
function directives(script: string): string[] {
  const lines = script.split('\n');
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(0, end).filter((line) => line.startsWith('#SBATCH '));
}

const ALWAYS = [
  '#SBATCH --job-name="a name"',
  `#SBATCH --comment=${idOf('job', 1)}`,
  '#SBATCH --chdir=/shared/runs/job_1',
  '#SBATCH --output=/shared/runs/job_1/.bramble/stdout.log',
  '#SBATCH --error=/shared/runs/job_1/.bramble/stderr.log',
  '#SBATCH --open-mode=append',
  '#SBATCH --no-requeue',
];

describe('the #SBATCH lines of a batch script', () => {
  it('leave to Slurm what the request leaves out', () => {
    expect(directives(render({ command: ['x'] }))).toEqual(ALWAYS);
  });

  it('say all that the request says', () => {
    const body: JobRequestBody = {
      command: ['x'],
      nodes: 2,
      tasks: 8,
      tasksPerNode: 4,
      cpusPerTask: 3,
      memory: '512M',
      timeLimit: '1h30m',
      partition: 'short',
      constraint: 'rpi4&(a|b)',
      account: 'physics',
      qos: 'high',
      exclusive: true,
    };
    expect(directives(render(body))).toEqual([
      ...ALWAYS,
      '#SBATCH --nodes=2',
      '#SBATCH --ntasks=8',
      '#SBATCH --ntasks-per-node=4',
      '#SBATCH --cpus-per-task=3',
      '#SBATCH --mem=512M',
      '#SBATCH --time=0-01:30:00',
      '#SBATCH --partition=short',
      '#SBATCH --constraint="rpi4&(a|b)"',
      '#SBATCH --account=physics',
      '#SBATCH --qos=high',
      '#SBATCH --exclusive',
    ]);
  });

  it("are not mixed with those of the user's script", () => {
    const script = render({ script: '#!/bin/bash\n#SBATCH --nodes=9\n#SBATCH --uid=0\n' });
    expect(directives(script)).toEqual(ALWAYS);
    expect(parseSbatchDirectives(script).fields).toEqual({ name: 'a name' });
  });
});

describe('a batch script', () => {
  it('begins with bash and ends with a line end', () => {
    const script = render({ command: ['x'] });
    expect(script).toMatch(/^#!\/bin\/bash\n/);
    expect(script).toMatch(/[^\n]\n$/);
  });

  it.each([
    ['mpi.c', 'mpicc', './mpi'],
    ['solver.cpp', 'mpicxx', './solver'],
    ['solver.cc', 'mpicxx', './solver'],
    ['a.b.cxx', 'mpicxx', './a.b'],
    ['wave.f90', 'mpifort', './wave'],
    ['old.f', 'mpifort', './old'],
  ])('compiles %s with %s to %s', (name, compiler, program) => {
    const script = render({ mpi: { source: { name, content: 'x' }, compilerFlags: ['-O3', '-Wall'] } });
    expect(script).toContain(`\ncompile '${compiler}' '-O3' '-Wall' '-o' '${program}' '${name}' '-lm'\n`);
    expect(script).toContain(`\nrun 'mpirun' '${program}'\n`);
  });

  it('starts an MPI program that the nodes have with the launcher that was chosen', () => {
    const script = render({ mpi: { program: '/opt/solver', args: ['-n', '2 3'], launcher: 'srun' } });
    expect(script).toContain(`\nrun 'srun' '--mpi=pmix' '/opt/solver' '-n' '2 3'\n`);
    expect(script).not.toContain("\ncompile '");
  });
});
