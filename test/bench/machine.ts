import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import type { SlurmLab } from '../lab/slurm-lab.ts';

/** The machine in words, without its name. */
export async function describeMachine(lab: Pick<SlurmLab, 'run'>): Promise<string> {
  const { stdout } = await lab.run(['sinfo', '--version']);
  const slurm = /(\d+\.\d+)/.exec(stdout)?.[1] ?? '?';
  const distribution = /^PRETTY_NAME="?([^"\n(]+)/m
    .exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    ?.trim();
  return [
    `${availableParallelism()} cores`,
    `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    (distribution ?? 'Linux').replace('GNU/Linux ', ''),
    `Slurm ${slurm}`,
    `Node ${process.versions.node.split('.').slice(0, 1).join('.')}`,
  ].join(', ');
}

/** How many processes wanted a core during the last minute. Above a half or so, somebody else was measured too. */
export const loadOfLastMinute = (): number => loadavg()[0] ?? NaN;
