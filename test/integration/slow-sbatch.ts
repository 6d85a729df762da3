import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SlurmLab } from '../lab/slurm-lab.ts';

/**
 * A directory with the lab's commands, whose sbatch sleeps before it does its work.
 * @returns the value of `binDir`
 */
export function slowSbatch(lab: SlurmLab, seconds: number): string {
  const directory = join(lab.dir, `slow-${seconds}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const command of ['sbatch', 'squeue', 'scontrol', 'scancel']) {
    const wait = command === 'sbatch' ? `sleep ${seconds}\n` : '';
    writeFileSync(join(directory, command), `#!/bin/sh\n${wait}exec ${lab.binDir}/${command} "$@"\n`, {
      mode: 0o755,
    });
  }
  return directory;
}
