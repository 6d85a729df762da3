import { spawn } from 'node:child_process';
import { account } from '../lab/accounts.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';

export interface SbatchOptions {
  script: string;
  partition: string;
  directory: string;
}

/** Submits as the lab's first account, as a program of a user's own would: one process for each job. */
export function submitBySbatch(
  lab: SlurmLab,
  { script, partition, directory }: SbatchOptions,
): Promise<number> {
  const { uid, gid } = account(lab.accounts.first);
  const child = spawn(
    `${lab.binDir}/sbatch`,
    ['--parsable', `--partition=${partition}`, `--chdir=${directory}`, '--output=/dev/null'],
    { uid, gid, cwd: '/', env: { PATH: process.env.PATH, SLURM_CONF: lab.slurmConf } },
  );
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.stdin.on('error', () => undefined).end(script);
    child.once('error', reject);
    child.once('close', (code) => {
      const id = /^(\d+)\n$/.exec(output)?.[1];
      if (code === 0 && id !== undefined) resolve(Number(id));
      else reject(new Error(`sbatch ended with ${code}: ${output}`));
    });
  });
}
