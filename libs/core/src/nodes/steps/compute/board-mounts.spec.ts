import { describe, expect, it } from 'vitest';
import type { Board } from '../../board.ts';
import { boardMounts } from './board-mounts.ts';

type Storage = Pick<Board, 'id' | 'address' | 'roles' | 'storage' | 'trial'>;
const STORAGE: Storage = {
  ...{ id: 'brd_1', address: '10.0.0.2', roles: ['storage'], trial: false },
  storage: {
    ...{ disk: '/dev/sda', wipe: null, packageCache: true },
    partitions: [
      { label: 'home', sizeMebibytes: 1000, mountedAt: '/home/shared' },
      { label: 'private', sizeMebibytes: 1000, mountedAt: null },
      { label: 'data', sizeMebibytes: null, mountedAt: '/data' },
    ],
  },
};
const lines = (
  boards: Storage[],
  mounts: { server: string; path: string; at: string }[] = [],
  id = 'brd_2',
) =>
  boardMounts({ id }, boards, { mounts }).map(
    ({ entry: { source, at, type, options } }) => `${source} ${at} ${type} ${options.join(',')}`,
  );

const AUTOMOUNT = 'x-systemd.automount,_netdev,nofail,x-systemd.mount-timeout=30,hard';

describe('boardMounts', () => {
  it('mounts what storage boards export, and what the site has', () => {
    expect(lines([STORAGE], [{ server: 'nas', path: '/volume1/x', at: '/archive' }])).toEqual([
      `nas:/volume1/x /archive nfs ${AUTOMOUNT}`,
      `10.0.0.2:/srv/data /data nfs ${AUTOMOUNT},nfsvers=4.2`,
      `10.0.0.2:/srv/home /home/shared nfs ${AUTOMOUNT},nfsvers=4.2`,
    ]);
  });

  it('binds what is on the board itself', () => {
    expect(lines([STORAGE], [], 'brd_1')).toEqual([
      '/srv/data /data none bind,nofail,x-systemd.requires-mounts-for=/srv/data',
      '/srv/home /home/shared none bind,nofail,x-systemd.requires-mounts-for=/srv/home',
    ]);
  });

  it('leaves out boards that are only planned with, and those without the role', () => {
    expect(
      lines([
        { ...STORAGE, trial: true },
        { ...STORAGE, roles: ['compute'] },
      ]),
    ).toEqual([]);
  });
});
