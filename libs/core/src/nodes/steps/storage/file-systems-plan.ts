import type { BoardStorage } from '../../board.ts';
import { StepProblem } from '../../board-step.ts';
import { fstab, type FstabEntry, fstabOutside } from '../fstab.ts';
import { partitionName } from './disk-plan.ts';
import type { SeenFileSystems, SeenPartition } from './seen-file-systems.ts';
import { placeOf } from './storage-directories.ts';

type Partition = BoardStorage['partitions'][number];

const TITLE = 'partitions of the disk';
/** The board starts without its disk as well; what is exported then says so by itself. */
const OPTIONS = ['defaults', 'noatime', 'nofail', 'x-systemd.device-timeout=30'];

/**
 * What is missing, in words; undefined where all is as it should be.
 * @throws StepProblem where something else is in the way
 */
export function missingIn(seen: SeenFileSystems, storage: BoardStorage): string | undefined {
  refuseConflicts(seen, storage);
  if (storage.disk !== null) {
    for (const wanted of storage.partitions) {
      const found = seen.partitions.get(wanted.label);
      if (found?.name !== partitionName(wanted)) return `the disk has no partition "${wanted.label}" yet`;
      if (found.signatures.length === 0) return `${found.device} has no file system yet`;
    }
    if (fstabWith(seen, storage) !== seen.fstab) return '/etc/fstab has other partitions';
    const away = storage.partitions.find(({ label }) => seen.partitions.get(label)?.isMounted !== true);
    if (away !== undefined) return `${placeOf(away)} is not mounted`;
  } else if (fstabWith(seen, storage) !== seen.fstab) return '/etc/fstab has partitions that are not offered';
  const [missing] = seen.missing;
  return missing === undefined ? undefined : `there is no ${missing}`;
}

/** Partitions that are Bramble's, and have no file system yet. */
export function toFormat(seen: SeenFileSystems, storage: BoardStorage): { device: string; label: string }[] {
  return storage.partitions.flatMap((wanted) => {
    const found = seen.partitions.get(wanted.label);
    if (found?.name !== partitionName(wanted) || found.signatures.length > 0) return [];
    return [{ device: found.device, label: wanted.label }];
  });
}

/** `/etc/fstab` as it should be. */
export function fstabWith(seen: SeenFileSystems, { disk, partitions }: BoardStorage): string {
  if (disk === null) return fstab(seen.fstab, TITLE, []);
  const entries = partitions.map((partition): FstabEntry => ({
    source: `UUID=${seen.partitions.get(partition.label)?.uuid ?? ''}`,
    at: placeOf(partition),
    type: 'ext4',
    options: OPTIONS,
    check: 2,
  }));
  return fstab(seen.fstab, TITLE, entries);
}

function refuseConflicts(seen: SeenFileSystems, { disk, partitions }: BoardStorage): void {
  if (disk === null) return;
  const others = new Map(fstabOutside(seen.fstab, TITLE).map(({ at, source }) => [at, source]));
  for (const wanted of partitions) {
    const place = placeOf(wanted);
    const other = others.get(place);
    if (other !== undefined)
      throw new StepProblem(
        `/etc/fstab mounts ${other} at ${place}. Remove that line, or take another label for the partition.`,
      );
    const found = seen.partitions.get(wanted.label);
    if (found?.name !== partitionName(wanted)) continue;
    refuseForeign(found, wanted);
    if (seen.mounted.has(wanted.label) && !found.isMounted)
      throw new StepProblem(`Something else than ${found.device} is mounted at ${place}. Unmount it.`);
    const hidden = seen.hidden.get(wanted.label) ?? [];
    if (hidden.length > 0)
      throw new StepProblem(
        `${place} has files on the system's own disk, which would be hidden: ${hidden.join(', ')}. Move them away.`,
      );
  }
}

function refuseForeign({ device, signatures, label }: SeenPartition, wanted: Partition): void {
  if (signatures.length === 0) return;
  if (signatures.length === 1 && signatures[0] === 'ext4' && label === wanted.label) return;
  throw new StepProblem(
    `${device} holds ${signatures.join(' and ')}${label === '' ? '' : ` "${label}"`}, not the ext4 "${wanted.label}" that Bramble makes. ` +
      `If nothing on it is needed, run \`wipefs --all ${device}\` on the board, and then apply.`,
  );
}
