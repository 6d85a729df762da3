import type { Board } from '../../board.ts';
import type { Site } from '../../site.ts';
import type { FstabEntry } from '../fstab.ts';

export interface BoardMount {
  entry: FstabEntry;
  /** Address or host of the NFS server; null where the directory is on the board itself. */
  server: string | null;
}

/**
 * The first use mounts; boot never waits. An operation on a server that is away waits for it (`hard`): data is not cut
 * off, and processes go on when it is back. @see https://manpages.debian.org/bookworm/nfs-common/nfs.5.en.html
 */
const ON_USE = ['x-systemd.automount', '_netdev', 'nofail', 'x-systemd.mount-timeout=30'];

/** What a compute board has mounted: what storage boards export, and the site's mounts. In order of their places. */
export function boardMounts(
  board: Pick<Board, 'id'>,
  boards: readonly Pick<Board, 'id' | 'address' | 'roles' | 'storage' | 'trial'>[],
  { mounts }: Pick<Site, 'mounts'>,
): BoardMount[] {
  const ofBoards = boards
    .filter(({ trial, roles }) => !trial && roles.includes('storage'))
    .flatMap(({ id, address, storage }) =>
      (storage?.partitions ?? []).flatMap(({ label, mountedAt }) => {
        if (mountedAt === null) return [];
        return id === board.id ? [bound(label, mountedAt)] : [exported(address, `/srv/${label}`, mountedAt)];
      }),
    );
  const ofSite = mounts.map(({ server, path, at }): BoardMount => ({
    server,
    entry: { source: `${server}:${path}`, at, type: 'nfs', options: [...ON_USE, 'hard'] },
  }));
  return [...ofBoards, ...ofSite].sort((a, b) => (a.entry.at < b.entry.at ? -1 : 1));
}

const exported = (server: string, path: string, at: string): BoardMount => ({
  server,
  entry: { source: `${server}:${path}`, at, type: 'nfs', options: [...ON_USE, 'hard', 'nfsvers=4.2'] },
});

/** A board that mounts from itself over NFS can come to a stop when its memory runs short. */
const bound = (label: string, at: string): BoardMount => ({
  server: null,
  entry: {
    ...{ source: `/srv/${label}`, at, type: 'none' },
    options: ['bind', 'nofail', `x-systemd.requires-mounts-for=/srv/${label}`],
  },
});
