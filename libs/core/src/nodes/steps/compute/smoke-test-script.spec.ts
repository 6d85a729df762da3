import { describe, expect, it } from 'vitest';
import { smokeTestProblem, smokeTestScript } from './smoke-test-script.ts';

const TEST = {
  ...{ mark: 'op_1/a', nodes: ['node02', 'node03'], tasksPerNode: 2, partition: 'all' },
  outputPath: '/var/tmp/bramble-smoke-test-a',
};
const line = (rank: number, node: string, of = 4, sum = 6) =>
  `rank ${rank} of ${of} on ${node}, sum of ranks ${sum}\n`;
const ALL = line(2, 'node03') + line(0, 'node02') + line(1, 'node02') + line(3, 'node03.home.lab');

describe('the smoke test', () => {
  it('asks Slurm for these nodes', () => {
    const script = smokeTestScript(TEST).split('\n');
    for (const option of [
      ...['comment=op_1/a', 'partition=all', 'nodes=2', 'nodelist=node02,node03', 'ntasks-per-node=2'],
      ...['output=/var/tmp/bramble-smoke-test-a', 'time=2', 'no-requeue'],
    ])
      expect(script).toContain(`#SBATCH --${option}`);
  });

  it('is passed when every rank has answered from where it should be', () => {
    expect(smokeTestProblem(`a warning of Open MPI\n${ALL}`, TEST)).toBeUndefined();
    expect(smokeTestProblem(line(0, 'node02', 1, 0), { nodes: ['node02'], tasksPerNode: 1 })).toBeUndefined();
  });

  it.each([
    ['', '0 of 4 ranks have answered'],
    [line(0, 'node02') + line(1, 'node02'), '2 of 4 ranks have answered'],
    [line(0, 'node02').repeat(4), '1 of 4 ranks have answered'],
    [ALL.replaceAll('node03', 'node02'), 'not 2 of the ranks were on node02'],
    [
      ALL.replace('of 4 on node02, sum of ranks 6', 'of 1 on node02, sum of ranks 0'),
      'rank 0 counts 1 ranks with the sum 0, not 4 with 6',
    ],
  ])('is not passed with %j', (output, because) => {
    expect(smokeTestProblem(output, TEST)).toBe(because);
  });
});
