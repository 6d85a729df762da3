import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type AttachedDisk, DISK_DEVICE } from './disk.ts';

/** Tells a board that boots that all nodes of its disk are there. */
export const NODES_READY = '/dev/.lab-disk';

const UDEV_DATA = '/run/udev/data';
const EXT_SUPERBLOCK = { at: 1024, bytes: 1024, magicAt: 56, magic: 0xef53, uuidAt: 104, labelAt: 120 };

/** What one boot of a board has been given: path, and what is to be found there. */
export type DiskNodes = Map<string, string>;

/**
 * Does udev's work in a board that may make no nodes: those of its disk and of the partitions, the links below
 * /dev/disk, and the serial number for lsblk.
 *
 * @param root the board's file system as a process of the board sees it.
 * @returns what there is now, to be given back at the next call for the same boot.
 */
export function ensureNodes(root: string, disk: AttachedDisk | undefined, known: DiskNodes): DiskNodes {
  const wanted = disk === undefined ? new Map<string, string>() : nodesOf(disk);
  for (const path of known.keys()) if (!wanted.has(path)) rmSync(join(root, path), { force: true });
  for (const [path, content] of wanted) if (known.get(path) !== content) make(join(root, path), content);
  if (!existsSync(join(root, NODES_READY))) writeFileSync(join(root, NODES_READY), '');
  return wanted;
}

function nodesOf({ serial, devices }: AttachedDisk): DiskNodes {
  const nodes: DiskNodes = new Map();
  for (const { name, number, partition } of devices) {
    nodes.set(`/dev/${name}`, `node ${number}`);
    nodes.set(`${DISK_DEVICE}${partition ?? ''}`, `link ${name}`);
    const part = partition === undefined ? '' : `-part${partition}`;
    nodes.set(`/dev/disk/by-id/usb-Lab_Disk_${serial}-0:0${part}`, `link ../../${name}`);
    nodes.set(
      `${UDEV_DATA}/b${number}`,
      `text E:ID_SERIAL=Lab_Disk_${serial}\nE:ID_SERIAL_SHORT=${serial}\n`,
    );
    const fileSystem = extFileSystem(`/dev/${name}`);
    if (fileSystem === undefined) continue;
    nodes.set(`/dev/disk/by-uuid/${fileSystem.uuid}`, `link ../../${name}`);
    if (fileSystem.label !== '') nodes.set(`/dev/disk/by-label/${fileSystem.label}`, `link ../../${name}`);
  }
  return nodes;
}

function make(path: string, content: string): void {
  const [kind, ...rest] = content.split(' ');
  const what = rest.join(' ');
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path);
  if (kind === 'text') writeFileSync(path, what);
  else if (kind === 'link') symlinkSync(what, path);
  else spawnSync('mknod', ['--mode=0660', path, 'b', ...what.split(':')]);
}

function extFileSystem(device: string): { uuid: string; label: string } | undefined {
  const block = Buffer.alloc(EXT_SUPERBLOCK.bytes);
  try {
    const file = openSync(device, 'r');
    try {
      readSync(file, block, 0, EXT_SUPERBLOCK.bytes, EXT_SUPERBLOCK.at);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  if (block.readUInt16LE(EXT_SUPERBLOCK.magicAt) !== EXT_SUPERBLOCK.magic) return undefined;
  const uuid = block.toString('hex', EXT_SUPERBLOCK.uuidAt, EXT_SUPERBLOCK.uuidAt + 16);
  const label = block.toString('latin1', EXT_SUPERBLOCK.labelAt, EXT_SUPERBLOCK.labelAt + 16);
  return {
    uuid: uuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    label: label.replace(/\0.*$/s, '').replace(/[^A-Za-z0-9._-]/g, '_'),
  };
}
