import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';
import { LabError } from '../lab-error.ts';
import type { BoardPaths } from './boards-directory.ts';
import { runOrThrow } from './command.ts';

/** A disk that is plugged into a board. It is a file of the machine; the board's user can partition and format it. */
export interface DiskSettings {
  /** Up to 20 letters, digits, "." and "-", as lsblk shows it. */
  serial: string;
  /** Default 256. */
  sizeMebibytes?: number;
}

/** What the board finds the disk by, whatever the kernel calls it. */
export const DISK_DEVICE = '/dev/sda';

const DEFAULT_SIZE_MEBIBYTES = 256;

/** Says which disk is plugged in, or with null that there is none. What is on a disk that is pulled stays on it. */
export function plugInDisk(board: BoardPaths, disk: DiskSettings | null): void {
  if (disk === null) {
    rmSync(board.disk, { force: true });
    return;
  }
  const { serial, sizeMebibytes = DEFAULT_SIZE_MEBIBYTES } = disk;
  if (!/^[A-Za-z0-9.-]{1,20}$/.test(serial)) throw new LabError(`${serial} is no serial number of a disk`);
  const image = join(board.directory, `disk-${serial}.img`);
  if (!existsSync(image)) {
    closeSync(openSync(image, 'w', 0o600));
    truncateSync(image, sizeMebibytes * 1024 * 1024);
  }
  writeFileAtomically(board.disk, serial, 0o644);
}

/** The block devices of a board's disk as the machine's kernel has them: `loop3`, `loop3p1` … */
export interface BlockDevice {
  name: string;
  /** `MAJOR:MINOR` */
  number: string;
  /** Of a partition. */
  partition: number | undefined;
}

export interface AttachedDisk {
  serial: string;
  devices: BlockDevice[];
}

/** Attaches the image of the disk that is plugged in, and detaches those that are not. */
export function attachDisk(board: BoardPaths): AttachedDisk | undefined {
  const serial = existsSync(board.disk) ? readFileSync(board.disk, 'utf8') : undefined;
  const wanted = serial === undefined ? undefined : join(board.directory, `disk-${serial}.img`);
  let attached: string | undefined;
  for (const { loop, image } of loopsBelow(board.directory)) {
    if (image === wanted) attached = loop;
    else spawnSync('losetup', ['--detach', `/dev/${loop}`]);
  }
  if (serial === undefined || wanted === undefined) return undefined;
  attached ??= attach(wanted);
  return attached === undefined ? undefined : { serial, devices: devicesOf(attached) };
}

/** Detaches all disks whose images are below a directory. */
export async function detachDisks(directory: string): Promise<void> {
  for (const { loop } of loopsBelow(directory)) await runOrThrow(['losetup', '--detach', `/dev/${loop}`]);
}

/** Shows a board its disk, and none of the machine's, below /sys. */
export function showDisk(board: BoardPaths, disk: AttachedDisk | undefined): void {
  const devices = disk?.devices ?? [];
  const wholes = devices.filter(({ partition }) => partition === undefined);
  linksTo(join(board.fixture, 'disks'), wholes);
  linksTo(join(board.fixture, 'block'), devices);
}

function linksTo(directory: string, devices: readonly BlockDevice[]): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const names = new Set(devices.map(({ name }) => name));
  for (const name of readdirSync(directory)) if (!names.has(name)) rmSync(join(directory, name));
  for (const { name, partition } of devices) {
    if (readLink(join(directory, name)) !== undefined) continue;
    const whole = partition === undefined ? name : `${name.replace(/p\d+$/, '')}/${name}`;
    symlinkSync(`/sys/devices/virtual/block/${whole}`, join(directory, name));
  }
}

export function loopsBelow(directory: string): { loop: string; image: string }[] {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .map((loop) => ({ loop, image: readOrEmpty(`/sys/block/${loop}/loop/backing_file`).trim() }))
    .filter(({ image }) => image.startsWith(`${directory}/`));
}

/** The kernel may lack parsers of partition tables: then nobody else would tell it of those that are there. */
function attach(image: string): string | undefined {
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', '--partscan', image], {
    encoding: 'utf8',
  });
  if (status !== 0) return undefined;
  const device = stdout.trim();
  spawnSync('partx', ['--update', device]);
  return basename(device);
}

function devicesOf(loop: string): BlockDevice[] {
  const directory = `/sys/block/${loop}`;
  const partitions = readdirSync(directory).filter((name) => name.startsWith(`${loop}p`));
  return [loop, ...partitions].flatMap((name) => {
    const number = readOrEmpty(name === loop ? `${directory}/dev` : `${directory}/${name}/dev`).trim();
    const partition = name === loop ? undefined : Number(name.slice(loop.length + 1));
    return number === '' ? [] : [{ name, number, partition }];
  });
}

/** Puts a file where there is none, or another one. */
export function ensureContent(file: string, content: string): void {
  if (readOrEmpty(file) !== content) writeFileSync(file, content);
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
