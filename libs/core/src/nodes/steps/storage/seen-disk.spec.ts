import { expect, it } from 'vitest';
import { parseDisk } from './seen-disk.ts';

const device = (kname: string, type: string, more: object = {}) => ({
  ...{ kname, type, size: 4 * 1024 * 1024, ro: false, serial: null, model: null, mountpoint: null },
  ...more,
});

const SEEN = [
  'device /dev/sda',
  `disk ${JSON.stringify({
    blockdevices: [
      device('sda', 'disk', { serial: 'S1 ', model: 'Portable SSD  ' }),
      device('sda1', 'part', { children: [device('dm-0', 'lvm', { mountpoint: '/' })] }),
    ],
  })}`,
  'serial USB1',
  'system dm-0',
  'system sda1',
  'signature sda gpt',
  'signature sda1 ext4 my photos',
  'entry 1 2048 bramble-data',
  'note prepared S 1',
].join('\n');

it('reads what a disk is, and what is on it', () => {
  expect(parseDisk(SEEN)).toEqual({
    ...{ device: '/dev/sda', name: 'sda', type: 'disk', mebibytes: 4, isReadOnly: false },
    ...{ serials: ['S1', 'USB1'], model: 'Portable SSD', holdsSystem: true, partitions: ['sda1'] },
    uses: ['dm-0 is mounted at /'],
    signatures: [
      { device: 'sda', type: 'gpt', label: '' },
      { device: 'sda1', type: 'ext4', label: 'my photos' },
    ],
    entries: [{ number: 1, mebibytes: 1, name: 'bramble-data' }],
    note: { state: 'prepared', serial: 'S 1' },
  });
});

it('knows that a disk without serial number was prepared', () => {
  const seen = `device /dev/sda\ndisk ${JSON.stringify({ blockdevices: [device('sda', 'disk')] })}\nnote prepared`;
  expect(parseDisk(seen)).toMatchObject({ serials: [], note: { state: 'prepared', serial: '' } });
});

it('says so where the disk has gone meanwhile', () => {
  expect(() => parseDisk('device /dev/sda\ndisk \n')).toThrow('lsblk tells nothing of /dev/sda');
});

it('tells which disks there are instead', () => {
  expect(parseDisk('other /dev/sdb disk   1.8T S2   SSD\n')).toEqual({
    others: ['/dev/sdb disk 1.8T S2 SSD'],
  });
});
