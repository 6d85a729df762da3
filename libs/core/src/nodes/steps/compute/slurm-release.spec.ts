import { describe, expect, it } from 'vitest';
import { hasDynamicNodes, parseRelease, releaseProblem } from './slurm-release.ts';

describe('releases of Slurm', () => {
  it('are read from what slurmctld and packages call themselves', () => {
    expect(parseRelease('22.05.8-4+deb12u3')).toEqual({ year: 22, month: 5 });
    expect(parseRelease('1:24.11.5')).toEqual({ year: 24, month: 11 });
    expect(parseRelease('(none)')).toBeUndefined();
  });

  it.each([
    ['22.05.8', '22.05.8-4+deb12u3'],
    ['22.05.8', '20.11.7'],
    ['23.11.4', '22.05.8'],
    ['24.11.5', '23.02.1'],
    ['25.11.0', '24.05.1'],
    ['26.05.0', '24.11.5-4'],
  ])('slurmctld %s takes slurmd %s', (slurmctld, slurmd) => {
    expect(releaseProblem(slurmctld, slurmd)).toBeUndefined();
  });

  it.each([
    ['22.05.8', '24.11.5-4', 'must not be newer'],
    ['22.05.8', '23.02.0', 'must not be newer'],
    ['24.11.5', '25.05.0', 'must not be newer'],
    ['24.11.5', '22.05.8-4+deb12u3', 'at most 3 major releases older'],
    ['23.11.4', '21.08.8', 'at most 2 major releases older'],
    ['24.05.4', '22.05.8', 'at most 2 major releases older'],
    ['22.05.8', '(none)', 'cannot be told'],
  ])('slurmctld %s refuses slurmd %s', (slurmctld, slurmd, because) => {
    const problem = releaseProblem(slurmctld, slurmd);
    expect(problem).toContain(because);
    expect(problem).toContain(slurmctld);
    expect(problem).toContain(slurmd);
  });

  it('know of dynamic nodes from 22.05 on', () => {
    expect(['20.11.7', '21.08.8', '22.05.8', '24.11.5'].map(hasDynamicNodes)).toEqual([
      ...[false, false, true, true],
    ]);
  });
});
