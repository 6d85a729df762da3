import type { BoardStorage } from '../../board.ts';
import { StepProblem } from '../../board-step.ts';
import { DISK_NOTE, type MissingDisk, type SeenDisk } from './seen-disk.ts';

type Partition = BoardStorage['partitions'][number];
/** Storage with a disk of its own. */
export type DiskStorage = BoardStorage & { disk: string };

/** What there is to do about a disk. */
export type DiskPlan =
  | { kind: 'right' }
  /** Its partitions are as they should be, and have to be told to the kernel, or noted. */
  | { kind: 'adopt' }
  /** `empties`: what is on it goes first. */
  | { kind: 'partition'; empties: boolean };

/** Partition names of GPT begin so where Bramble has made the partition. */
const MARK = 'bramble-';
/** GPT keeps a mebibyte at the beginning, by alignment, and less than one at the end. */
const TABLE_MEBIBYTES = 2;
const LEAST_MEBIBYTES = 16;
/** What wipefs finds of a partition table. */
const TABLES = ['gpt', 'PMBR', 'dos'];

export const partitionName = ({ label }: Pick<Partition, 'label'>): string => `${MARK}${label}`;

/** As the kernel names it: `sda1`, and `nvme0n1p1` where the disk's own name ends in a digit. */
export const partitionDevice = (disk: string, number: number): string =>
  `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`;

/** What sfdisk makes the partitions by. */
export function partitionScript(partitions: readonly Partition[]): string {
  const lines = partitions.map((partition) => {
    const size = partition.sizeMebibytes === null ? '' : `size=${partition.sizeMebibytes}MiB, `;
    return `${size}name="${partitionName(partition)}"`;
  });
  return `label: gpt\n${lines.join('\n')}\n`;
}

/**
 * Decides what is done with a disk. Whatever is on it stays, unless `wipe` names its serial number; what Bramble has
 * prepared stays always.
 * @throws StepProblem where it must not be touched, or cannot be had as it should be
 */
export function planDisk(seen: SeenDisk | MissingDisk, storage: DiskStorage): DiskPlan {
  if ('others' in seen) throw missing(storage.disk, seen);
  const about = describe(seen);
  if (seen.type !== 'disk' && seen.type !== 'loop')
    throw new StepProblem(`${about} is no disk, but of the type "${seen.type}". Name the whole disk.`);
  if (seen.holdsSystem)
    throw new StepProblem(
      `The board runs from ${about}. Name another disk, or none to offer directories of it.`,
    );
  const isBrambles = seen.entries.some(({ name }) => name.startsWith(MARK));
  refuseSwapped(seen, storage, about);
  if (isBrambles) return planOfBrambles(seen, storage, about);
  if (seen.isReadOnly) throw new StepProblem(`${about} is read-only.`);
  refuseTooSmall(seen, storage, about);
  if (isBlank(seen)) return { kind: 'partition', empties: false };
  if (wasInterrupted(seen)) return { kind: 'partition', empties: true };
  refuseData(seen, storage, about);
  return { kind: 'partition', empties: true };
}

/** Names it as an admin knows it: path, model, serial number and size. */
export function describe({ device, model, serials, mebibytes }: SeenDisk): string {
  const serial = serials[0] === undefined ? 'no serial number' : `serial number ${serials.join(' or ')}`;
  return `${device} (${[model, serial, size(mebibytes)].filter((word) => word !== '').join(', ')})`;
}

function missing(disk: string, { others }: MissingDisk): StepProblem {
  const there = others.length === 0 ? 'The board has no disks' : `The board has ${others.join('; ')}`;
  return new StepProblem(`There is no ${disk}. ${there}. Plug the disk in, or name another one.`);
}

function planOfBrambles(seen: SeenDisk, { partitions }: DiskStorage, about: string): DiskPlan {
  const isAsWanted =
    seen.entries.length === partitions.length &&
    partitions.every((wanted, index) => {
      const entry = seen.entries[index];
      return (
        entry?.name === partitionName(wanted) &&
        entry.number === index + 1 &&
        (wanted.sizeMebibytes === null || entry.mebibytes === wanted.sizeMebibytes)
      );
    });
  if (!isAsWanted) {
    const are = seen.entries.map(({ name, mebibytes }) => `${unmarked(name)} of ${size(mebibytes)}`);
    throw new StepProblem(
      `${about} has been prepared by Bramble with ${are.join(', ')}; wanted are ${shown(partitions)}. ` +
        `Bramble does not change what it has prepared, whatever "wipe" says. To have it made anew, ${byHand(seen)}`,
    );
  }
  const known = partitions.every((_, index) =>
    seen.partitions.includes(partitionDevice(seen.name, index + 1)),
  );
  const isNoted = seen.note?.state === 'prepared' && isSame(seen, seen.note.serial);
  return known && isNoted ? { kind: 'right' } : { kind: 'adopt' };
}

/** Where it is another disk than the one that was prepared for this board, an admin has to say that this is meant. */
function refuseSwapped(seen: SeenDisk, { wipe }: DiskStorage, about: string): void {
  if (seen.note?.state !== 'prepared' || isSame(seen, seen.note.serial)) return;
  if (wipe !== null && seen.serials.includes(wipe)) return;
  const before = seen.note.serial === '' ? 'a disk without serial number' : `the disk ${seen.note.serial}`;
  const [serial] = seen.serials;
  throw new StepProblem(
    `${about} is not what this board has offered until now: that was ${before}. Plug that one in again, or ` +
      (serial === undefined
        ? `remove ${DISK_NOTE} on the board to take this one.`
        : `set "wipe" to "${serial}" to take this one; what Bramble has prepared on it stays.`),
  );
}

function refuseTooSmall(seen: SeenDisk, { partitions }: DiskStorage, about: string): void {
  const needed = partitions.reduce(
    (sum, { sizeMebibytes }) => sum + (sizeMebibytes ?? LEAST_MEBIBYTES),
    TABLE_MEBIBYTES,
  );
  if (needed > seen.mebibytes)
    throw new StepProblem(`${about} is too small: ${shown(partitions)} take ${size(needed)}.`);
}

const isBlank = ({ signatures, entries, partitions, uses }: SeenDisk): boolean =>
  [signatures, entries, partitions, uses].every(({ length }) => length === 0);

/** An empty partition table on a disk that was blank, or was to be emptied, when Bramble began with it. */
const wasInterrupted = (seen: SeenDisk): boolean =>
  seen.note?.state === 'preparing' &&
  isSame(seen, seen.note.serial) &&
  seen.entries.length === 0 &&
  seen.uses.length === 0 &&
  seen.signatures.every(({ device, type }) => device === seen.name && TABLES.includes(type));

function refuseData(seen: SeenDisk, { wipe }: DiskStorage, about: string): void {
  const content = contentOf(seen).join(', ');
  const [serial] = seen.serials;
  if (serial === undefined)
    throw new StepProblem(
      `${about} is not empty: ${content}. It tells no serial number that "wipe" could name; to have it emptied, ${byHand(seen)}`,
    );
  if (wipe === null || !seen.serials.includes(wipe))
    throw new StepProblem(
      `${about} is not empty: ${content}. ` +
        (wipe === null ? '' : `"wipe" names "${wipe}", which is another disk. `) +
        `To destroy all that is on it, set "wipe" to "${serial}".`,
    );
  if (seen.note?.state === 'prepared')
    throw new StepProblem(
      `${about} has been prepared by Bramble before, and somebody has put something else on it: ${content}. ` +
        `"wipe" empties a disk only once. To have it emptied again, ${byHand(seen)}`,
    );
  if (seen.uses.length > 0)
    throw new StepProblem(
      `${about} is in use: ${seen.uses.join(', ')}. Take it out of use before it is emptied.`,
    );
}

function contentOf({ entries, signatures }: SeenDisk): string[] {
  const partitions = entries.length === 0 ? [] : [`a partition table with ${entries.length} partitions`];
  const found = signatures
    .filter(({ type }) => entries.length === 0 || !TABLES.includes(type))
    .map(({ device, type, label }) => `${type}${label === '' ? '' : ` "${label}"`} on ${device}`);
  return [...partitions, ...found];
}

const isSame = ({ serials }: SeenDisk, noted: string): boolean =>
  noted === '' ? serials.length === 0 : serials.includes(noted);

const byHand = ({ name, partitions }: SeenDisk): string =>
  `run \`wipefs --all ${[...partitions, name].map((one) => `/dev/${one}`).join(' ')}\` on the board, and then apply.`;

const unmarked = (name: string): string =>
  name.startsWith(MARK) ? `"${name.slice(MARK.length)}"` : `another ("${name}")`;

const shown = (partitions: readonly Partition[]): string =>
  partitions
    .map(
      ({ label, sizeMebibytes }) =>
        `"${label}" of ${sizeMebibytes === null ? 'the rest' : size(sizeMebibytes)}`,
    )
    .join(', ');

const size = (mebibytes: number): string =>
  mebibytes < 10_240 ? `${Math.floor(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(0)} GiB`;
