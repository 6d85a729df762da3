import { expect, it } from 'vitest';
import { storageDirectories } from './storage-directories.ts';

it('users can write below what is exported, and nowhere else', () => {
  const partitions = [
    { label: 'data', sizeMebibytes: 100, mountedAt: '/data' },
    { label: 'spare', sizeMebibytes: null, mountedAt: null },
  ];
  expect(storageDirectories({ partitions }, [{ name: 'ada', uid: 3001, gid: 3002 }])).toEqual([
    { path: '/srv/data/shared', mode: '1777', owner: '0:0' },
    { path: '/srv/data/ada', mode: '750', owner: '3001:3002' },
  ]);
});
