import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultLabDirectory, labPaths } from '../lab-directory.ts';
import type { LabPaths } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';

/** Base systems and package caches, for all checkouts of the machine. `down` leaves it. */
export const SHARED_DIRECTORY = '/var/tmp/bramble-boards';
/** Begins the names of what labs have fetched, below the shared directory. */
export const PACKAGES_PREFIX = 'packages-';

/** Where each thing of a lab of boards lies. */
export interface BoardsPaths {
  /** State file, logs, pid records and lock lie as in the Slurm lab. */
  lab: LabPaths;
  /**
   * Follows from the directory, and begins the name of everything that the kernel knows of this lab: links, cgroups,
   * machines. It is how `down` finds them when a crash has left nothing else.
   */
  prefix: string;
  bridge: string;
  nameServer: { directory: string; hosts: string; leases: string };
  packageCache: { directory: string; configuration: string; packages: string };
  /** Only root may enter: below it are systems with set-uid programs and a well-known password. */
  boards: string;
}

/** Where each thing of one board lies. */
export interface BoardPaths {
  directory: string;
  /** The root file system as the board sees it: the base, and over it what the board has changed. */
  root: string;
  changes: string;
  work: string;
  networkNamespace: string;
  hostKey: string;
  fixture: string;
  /** Holds the serial number of the disk that is plugged in; there is no such file where there is no disk. */
  disk: string;
}

/** Beside the Slurm lab of this checkout, or in `BRAMBLE_LAB_DIR` with `-boards` behind it. */
export function defaultBoardsDirectory(): string {
  return process.env.BRAMBLE_LAB_DIR
    ? `${process.env.BRAMBLE_LAB_DIR}-boards`
    : join(dirname(defaultLabDirectory()), 'boards');
}

export function boardsPaths(directory: string): BoardsPaths {
  const lab = labPaths(directory);
  const prefix = `brm${createHash('sha256').update(directory).digest('hex').slice(0, 6)}`;
  const nameServer = join(directory, 'name-server');
  const packageCache = join(directory, 'package-cache');
  return {
    lab,
    prefix,
    bridge: prefix,
    nameServer: {
      directory: nameServer,
      hosts: join(nameServer, 'hosts'),
      leases: join(nameServer, 'leases'),
    },
    packageCache: {
      directory: packageCache,
      configuration: join(packageCache, 'configuration'),
      packages: join(SHARED_DIRECTORY, `${PACKAGES_PREFIX}${prefix}`),
    },
    boards: join(directory, 'boards'),
  };
}

export function boardPaths(paths: BoardsPaths, name: string): BoardPaths {
  const directory = join(paths.boards, name);
  return {
    directory,
    root: join(directory, 'root'),
    changes: join(directory, 'changes'),
    work: join(directory, 'work'),
    networkNamespace: join(directory, 'network-namespace'),
    hostKey: join(directory, 'host_key'),
    fixture: join(directory, 'fixture'),
    disk: join(directory, 'disk'),
  };
}

/** /var/tmp is everybody's: what somebody else has put there is not run as root. */
export function createSharedDirectory(): void {
  if (!existsSync(SHARED_DIRECTORY)) mkdirSync(SHARED_DIRECTORY, { mode: 0o755 });
  const found = lstatSync(SHARED_DIRECTORY);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new LabError(`${SHARED_DIRECTORY} is not a directory that only root can change; move it away`);
  }
}
