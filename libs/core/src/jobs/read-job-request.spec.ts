import { describe, expect, it } from 'vitest';
import { jobRequest } from '../../../../test/fakes/job-requests.ts';
import { Problem } from '../vocabulary/problem.ts';
import type { JobRequestBody } from './job-request.ts';
import { withSbatchDirectives } from './read-job-request.ts';

const read = (body: JobRequestBody) => withSbatchDirectives(jobRequest(body), new Set(Object.keys(body)));

function faultsOf(body: JobRequestBody): readonly { field: string; message: string }[] {
  try {
    read(body);
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid_request') return error.faults;
    throw error;
  }
  throw new Error('the request was taken');
}

describe('withSbatchDirectives', () => {
  it('adds what the script says', () => {
    const script = '#!/bin/bash\n#SBATCH -N 2 -t 10\n#SBATCH --exclusive\nhostname\n';
    expect(read({ script })).toMatchObject({ nodes: 2, timeLimit: '0-00:10:00', exclusive: true, script });
  });

  it('lets the request win over the script', () => {
    const script = '#!/bin/bash\n#SBATCH -N 2 -n 4 --exclusive -J theirs\n';
    expect(read({ script, nodes: 1, exclusive: false, name: 'mine' })).toMatchObject({
      nodes: 1,
      tasks: 4,
      exclusive: false,
      name: 'mine',
    });
  });

  it('does not take a default of the request for its word', () => {
    expect(read({ script: '#!/bin/bash\n#SBATCH --exclusive\n' }).exclusive).toBe(true);
  });

  it('reads nothing in a job without script', () => {
    const body: JobRequestBody = { command: ['echo', '#SBATCH --nodes=2'] };
    expect(read(body)).toEqual(jobRequest(body));
  });

  it.each([
    ['#SBATCH --array=1-3', 'line 2'],
    ['#SBATCH --nodes=0', '"nodes"'],
    ['#SBATCH --nodes=99999', '"nodes"'],
    ['#SBATCH --mem=0', '"memory"'],
    ['#SBATCH --mem=1.5G', '"memory"'],
    ['#SBATCH --time=0', '"timeLimit"'],
    ['#SBATCH --time=400-00', '"timeLimit"'],
    ['#SBATCH --job-name=$(id)', '"name"'],
    ['#SBATCH --job-name="a\tb"', '"name"'],
    ['#SBATCH --job-name=', '"name"'],
    ["#SBATCH --job-name='\"'", '"name"'],
    ['#SBATCH --partition=a;b', '"partition"'],
    ['#SBATCH --partition=a,b', '"partition"'],
    ["#SBATCH --constraint='a\"b'", '"constraint"'],
    ['#SBATCH --account="a b"', '"account"'],
    ['#SBATCH --qos=-x', '"qos"'],
  ])('refuses the script with %j, naming %s', (line, word) => {
    const faults = faultsOf({ script: `#!/bin/bash\n${line}\n` });
    expect(faults.map(({ field }) => field)).toEqual(['script']);
    expect(faults[0]?.message).toContain(word);
  });

  it('names every fault at once', () => {
    expect(faultsOf({ script: '#!/bin/bash\n#SBATCH -N 0\n#SBATCH --mem=0\n' })).toHaveLength(2);
  });
});
