import type { BoardStorage } from '../../board.ts';
import type { SiteAccount } from '../../site.ts';

/** A directory that is made where it is missing, and is the admin's from then on. */
export interface StorageDirectory {
  path: string;
  /** Octal. */
  mode: string;
  /** Numbers, such as `1000:1000`. */
  owner: string;
}

/** Where a storage board has what a partition holds. */
export const placeOf = ({ label }: { label: string }): string => `/srv/${label}`;

/**
 * What users may write to. The root of an export is root's, and root of another board is nobody there: without these
 * directories nobody but the storage board's admin could write at all.
 */
export function storageDirectories(
  { partitions }: Pick<BoardStorage, 'partitions'>,
  accounts: readonly SiteAccount[],
): StorageDirectory[] {
  return partitions.flatMap((partition) => {
    const place = placeOf(partition);
    if (partition.mountedAt === null) return [];
    return [
      { path: `${place}/shared`, mode: '1777', owner: '0:0' },
      ...accounts.map(({ name, uid, gid }) => ({
        ...{ path: `${place}/${name}`, mode: '750', owner: `${uid}:${gid}` },
      })),
    ];
  });
}
