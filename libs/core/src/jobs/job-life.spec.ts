import { describe, expect, it } from 'vitest';
import { JobLife } from '../../../../test/fakes/job-life.ts';
import { isFinal } from './job-state.ts';

const SEEDS = 2000;
const GROUPS = 10;

/**
 * Many lives of a few jobs each, in which processes are killed before and after any call of a port, everything that can
 * be away is away for a while, Slurm answers late and loses jobs, and users cancel. What must hold is written in
 * `JobLife`; a seed that breaks it is named, and breaks it in the same way each time.
 */
describe('whatever goes wrong while a job lives', () => {
  it.each(Array.from({ length: GROUPS }, (_, group) => group * (SEEDS / GROUPS)))(
    'it is run at most once, and ends as Slurm has ended it: seeds from %i',
    async (first) => {
      for (let seed = first; seed < first + SEEDS / GROUPS; seed += 1) {
        const life = new JobLife(seed);
        await life.goWrong(120);
        await life.settle(600);
        const jobs = await life.jobs();
        expect(jobs.length, `seed ${seed}`).toBeGreaterThan(0);
        for (const job of jobs) {
          const what = `seed ${seed}: ${job.id} is ${job.state} (${job.reason?.code ?? ''}), in Slurm ${life.describe(job)}`;
          expect(isFinal(job.state), what).toBe(true);
          expect(life.faultOf(job), what).toBeUndefined();
        }
        expect(life.faults, `seed ${seed}`).toEqual([]);
      }
    },
    60_000,
  );
});
