import { spawn } from 'node:child_process';
import { account } from '../lab/accounts.ts';

export interface SbatchOptions {
  sbatch: string;
  slurmConf: string;
  /** Whose job it is. */
  user: string;
  script: string;
  partition: string;
  directory: string;
}

/** Submits as a program of a user's own would: one process for each job. */
export function submitBySbatch(options: SbatchOptions): Promise<number> {
  const { uid, gid } = account(options.user);
  const child = spawn(
    options.sbatch,
    ['--parsable', `--partition=${options.partition}`, `--chdir=${options.directory}`, '--output=/dev/null'],
    { uid, gid, cwd: '/', env: { PATH: process.env.PATH, SLURM_CONF: options.slurmConf } },
  );
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.stdin.on('error', () => undefined).end(options.script);
    child.once('error', reject);
    child.once('close', (code) => {
      const id = /^(\d+)\n$/.exec(output)?.[1];
      if (code === 0 && id !== undefined) resolve(Number(id));
      else reject(new Error(`sbatch ended with ${code}: ${output}`));
    });
  });
}
