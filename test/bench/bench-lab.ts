import { defaultLabDirectory } from '../lab/lab-directory.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import type { Cleanup } from './cleanup.ts';
import { endLeftovers } from './leftovers.ts';

/**
 * A lab of the benchmark's own, new, so that quick start and tests are left alone. Slurm forgets ended jobs sooner
 * than it does by default: thousands of cancelled ones would be listed by every squeue that is measured later.
 */
export async function startBenchLab(cleanup: Cleanup, log: (line: string) => void): Promise<SlurmLab> {
  const dir = `${defaultLabDirectory()}-bench`;
  const end = async () => {
    await endLeftovers(dir);
    await labDown(dir);
  };
  await end();
  cleanup.add('The lab', end);
  return labUp({ dir, log, settings: { minJobAgeSeconds: 30 } });
}
