import { expect, it } from 'vitest';
import type { BoardStorage } from '../../board.ts';
import { exportsFile, notServed } from './exports-file.ts';

const STORAGE: BoardStorage = {
  ...{ disk: '/dev/sda', wipe: null, packageCache: false },
  partitions: [
    { label: 'data', sizeMebibytes: 100, mountedAt: '/data' },
    { label: 'spare', sizeMebibytes: null, mountedAt: null },
  ],
};
const SUBNET = '10.0.0.0/24';

it('exports what compute boards mount, to the subnet', () => {
  expect(exportsFile(STORAGE, SUBNET)?.content).toBe(
    '# Written by Bramble.\n/srv/data\t10.0.0.0/24(rw,sync,no_subtree_check,root_squash,mp)\n',
  );
  expect(exportsFile({ ...STORAGE, disk: null }, SUBNET)?.content).not.toContain('mp');
  expect(exportsFile({ ...STORAGE, partitions: STORAGE.partitions.slice(1) }, SUBNET)).toBeUndefined();
});

it.each([
  ['', '/srv/data'],
  ['/srv/data\t10.0.0.0/24(rw,sync,root_squash,no_subtree_check,mountpoint)\n', undefined],
  ['/srv/data\t10.0.0.0/24(rw,sync,no_root_squash,mountpoint)\n', '/srv/data'],
  ['/srv/data\t10.0.0.0/24(rw,sync,root_squash)\n', '/srv/data'],
  ['/srv/data\t*(rw,sync,root_squash,mountpoint)\n', '/srv/data'],
])('sees in what the server keeps whether it serves: %j', (etab, missing) => {
  expect(notServed(etab, STORAGE, SUBNET)).toBe(missing);
});
