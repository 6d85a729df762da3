import type { BoardStorage } from '../../board.ts';
import type { OwnedFile } from '../base/owned-files.ts';
import { placeOf } from './storage-directories.ts';

export const EXPORTS_FILE = '/etc/exports.d/bramble.exports';

/**
 * `sync`: a write is answered when it is on the disk. `root_squash`: root of a compute board is nobody here. `mp`: while
 * the disk is away, nobody is served the empty directory it is mounted at.
 * @see https://manpages.debian.org/bookworm/nfs-kernel-server/exports.5.en.html
 */
const OPTIONS = ['rw', 'sync', 'no_subtree_check', 'root_squash'];

/** What is exported, to the boards' subnet only; undefined where nothing is. */
export function exportsFile(storage: BoardStorage, subnet: string): OwnedFile | undefined {
  const options = [...OPTIONS, ...(storage.disk === null ? [] : ['mp'])].join(',');
  const lines = exported(storage).map((place) => `${place}\t${subnet}(${options})\n`);
  if (lines.length === 0) return undefined;
  return { path: EXPORTS_FILE, content: `# Written by Bramble.\n${lines.join('')}` };
}

/**
 * The directory that the server does not serve as it should, by what exportfs keeps of it.
 * @param etab /var/lib/nfs/etab
 */
export function notServed(etab: string, storage: BoardStorage, subnet: string): string | undefined {
  const served = new Map(
    etab.split('\n').flatMap((line): [string, string[]][] => {
      const [, place, clients, options] = /^(\S+)\t([^(]+)\((.*)\)$/.exec(line) ?? [];
      return place === undefined || clients !== subnet ? [] : [[place, (options ?? '').split(',')]];
    }),
  );
  const wanted = ['rw', 'sync', 'root_squash', ...(storage.disk === null ? [] : ['mountpoint'])];
  return exported(storage).find((place) => !wanted.every((option) => served.get(place)?.includes(option)));
}

const exported = ({ partitions }: BoardStorage): string[] =>
  partitions.filter(({ mountedAt }) => mountedAt !== null).map(placeOf);
