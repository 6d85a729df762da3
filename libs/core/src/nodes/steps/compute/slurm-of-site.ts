import type { Site, SiteSlurm } from '../../site.ts';

export const NO_SLURM = 'no Slurm is configured';

/** For steps that have found before that there is something to be done. */
export function slurmOfSite({ slurm }: Site): SiteSlurm {
  if (slurm === null) throw new Error('there is no Slurm to be joined');
  return slurm;
}
