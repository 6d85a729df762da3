/** Year and month of a major release, as Slurm numbers them: `24.11`. */
export interface SlurmRelease {
  year: number;
  month: number;
}

/**
 * @param version as slurmctld or a package tells it, such as `22.05.8-4+deb12u3`
 * @returns undefined where it is no release of Slurm
 */
export function parseRelease(version: string): SlurmRelease | undefined {
  const [, year, month] = /^(?:\d+:)?(\d{2})\.(\d{2})\b/.exec(version) ?? [];
  return year === undefined || month === undefined ? undefined : { year: Number(year), month: Number(month) };
}

/** Until 24.05 releases came at odd times; from then on each May and each November. */
const EARLY = ['19.05', '20.02', '20.11', '21.08', '22.05', '23.02', '23.11', '24.05'];
const HALF_YEARLY_FROM = 24 * 2;

/** Counts major releases; neighbours differ by one. */
function ordinal({ year, month }: SlurmRelease): number {
  const early = EARLY.indexOf(nameOf({ year, month }));
  return early === -1 ? EARLY.length - 1 + year * 2 + (month > 6 ? 1 : 0) - HALF_YEARLY_FROM : early;
}

const nameOf = ({ year, month }: SlurmRelease): string =>
  `${String(year).padStart(2, '0')}.${String(month).padStart(2, '0')}`;

const isAtLeast = (release: SlurmRelease | undefined, year: number, month: number): boolean =>
  release !== undefined && (release.year > year || (release.year === year && release.month >= month));

/** Whether nodes may join that slurm.conf does not name. @see https://slurm.schedmd.com/dynamic_nodes.html */
export const hasDynamicNodes = (version: string): boolean => isAtLeast(parseRelease(version), 22, 5);

/**
 * Why this slurmd cannot work with this slurmctld; undefined where it can. slurmd may be up to two major releases older,
 * three from 24.11 on, and never newer.
 * @see https://slurm.schedmd.com/upgrades.html#compatibility_window
 */
export function releaseProblem(slurmctld: string, slurmd: string): string | undefined {
  const [controller, node] = [parseRelease(slurmctld), parseRelease(slurmd)];
  if (controller === undefined || node === undefined)
    return `It cannot be told whether slurmd ${slurmd} works with slurmctld ${slurmctld}.`;
  const olderBy = ordinal(controller) - ordinal(node);
  const mayBeOlderBy = isAtLeast(controller, 24, 11) ? 3 : 2;
  const both = `This board has slurmd ${slurmd}, and slurmctld is ${slurmctld}`;
  if (olderBy < 0)
    return `${both}: slurmd must not be newer. Upgrade the controller first, or install the board with an older Debian.`;
  if (olderBy > mayBeOlderBy)
    return `${both}: slurmd may be at most ${mayBeOlderBy} major releases older. Install the board with a newer Debian.`;
  return undefined;
}
