import { describe, expect, it } from 'vitest';
import { StepProblem } from '../../board-step.ts';
import { type DiskStorage, partitionDevice, partitionScript, planDisk } from './disk-plan.ts';
import type { SeenDisk } from './seen-disk.ts';

const STORAGE: DiskStorage = {
  disk: '/dev/sda',
  wipe: null,
  partitions: [
    { label: 'data', sizeMebibytes: 1000, mountedAt: '/data' },
    { label: 'scratch', sizeMebibytes: null, mountedAt: null },
  ],
  packageCache: false,
};

const BLANK: SeenDisk = {
  ...{ device: '/dev/sda', name: 'sda', type: 'disk', mebibytes: 30_000, isReadOnly: false },
  ...{ serials: ['S1', 'USB1'], model: 'Portable SSD', holdsSystem: false, uses: [], signatures: [] },
  ...{ entries: [], partitions: [], note: null },
};
const WITH_DATA: SeenDisk = {
  ...BLANK,
  entries: [{ number: 1, mebibytes: 500, name: 'Basic data' }],
  partitions: ['sda1'],
  signatures: [
    { device: 'sda', type: 'gpt', label: '' },
    { device: 'sda1', type: 'ntfs', label: 'Holidays 2019' },
  ],
};
const MADE: SeenDisk = {
  ...WITH_DATA,
  entries: [
    { number: 1, mebibytes: 1000, name: 'bramble-data' },
    { number: 2, mebibytes: 28_998, name: 'bramble-scratch' },
  ],
  partitions: ['sda1', 'sda2'],
  note: { state: 'prepared', serial: 'S1' },
};

const refusal = (seen: Parameters<typeof planDisk>[0], changes: Partial<DiskStorage> = {}): string => {
  try {
    planDisk(seen, { ...STORAGE, ...changes });
  } catch (error) {
    if (error instanceof StepProblem) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('planDisk', () => {
  it('partitions a blank disk', () => {
    expect(planDisk(BLANK, STORAGE)).toEqual({ kind: 'partition', empties: false });
  });

  it('refuses a disk with something on it, and says what', () => {
    expect(refusal(WITH_DATA)).toBe(
      '/dev/sda (Portable SSD, serial number S1 or USB1, 29 GiB) is not empty: a partition table with 1 partitions, ' +
        'ntfs "Holidays 2019" on sda1. To destroy all that is on it, set "wipe" to "S1".',
    );
    expect(refusal(WITH_DATA, { wipe: 'S' })).toContain('"wipe" names "S", which is another disk.');
    expect(refusal({ ...WITH_DATA, serials: [] }, { wipe: 'S1' })).toContain(
      'no serial number that "wipe" could name',
    );
    expect(refusal({ ...BLANK, signatures: [{ device: 'sda', type: 'LVM2_member', label: '' }] })).toContain(
      'LVM2_member on sda',
    );
    expect(refusal({ ...BLANK, partitions: ['sda1'] })).toContain('is not empty');
  });

  it.each(['S1', 'USB1'])('empties a disk whose serial number %s is named', (wipe) => {
    expect(planDisk(WITH_DATA, { ...STORAGE, wipe })).toEqual({ kind: 'partition', empties: true });
  });

  it.each([
    ['the disk of the system', { holdsSystem: true }, /^The board runs from/],
    ['a disk in use', { uses: ['sda1 is mounted at /media'] }, /is in use: sda1 is mounted at \/media/],
    ['a read-only disk', { isReadOnly: true }, /is read-only/],
    ['a partition', { type: 'part' }, /is no disk, but of the type "part"/],
    ['a disk that is too small', { mebibytes: 1017 }, /is too small: .* take 1018 MiB/],
    [
      'a disk that was emptied before',
      { note: { state: 'prepared', serial: 'S1' } as const },
      /only once.*`wipefs --all \/dev\/sda1 \/dev\/sda`/,
    ],
  ])('refuses %s, whatever "wipe" says', (_, changes, message) => {
    expect(refusal({ ...WITH_DATA, ...changes }, { wipe: 'S1' })).toMatch(message);
  });

  it('leaves alone what it has made, whatever "wipe" says', () => {
    expect(planDisk(MADE, STORAGE)).toEqual({ kind: 'right' });
    expect(planDisk(MADE, { ...STORAGE, wipe: 'S1' })).toEqual({ kind: 'right' });
    expect(planDisk({ ...MADE, note: null }, { ...STORAGE, wipe: 'S1' })).toEqual({ kind: 'adopt' });
    expect(planDisk({ ...MADE, note: { state: 'preparing', serial: 'S1' } }, STORAGE)).toEqual({
      kind: 'adopt',
    });
    expect(planDisk({ ...MADE, partitions: [] }, STORAGE)).toEqual({ kind: 'adopt' });
  });

  it('does not change what it has made', () => {
    const [data, scratch] = STORAGE.partitions;
    if (data === undefined || scratch === undefined) throw new Error('two partitions');
    for (const partitions of [[data], [scratch, data], [{ ...data, sizeMebibytes: 2000 }, scratch]])
      expect(refusal(MADE, { wipe: 'S1', partitions })).toContain(
        'has been prepared by Bramble with "data" of 1000 MiB, "scratch" of 28 GiB; wanted are',
      );
  });

  it('goes on with what was interrupted, but not over data', () => {
    const note = { state: 'preparing', serial: 'S1' } as const;
    const half = { ...BLANK, note, signatures: [{ device: 'sda', type: 'gpt', label: '' }] };
    expect(planDisk(half, STORAGE)).toEqual({ kind: 'partition', empties: true });
    expect(refusal({ ...half, note: null })).toContain('is not empty: gpt on sda');
    expect(refusal({ ...half, serials: ['S2'] })).toContain('is not empty');
    expect(refusal({ ...WITH_DATA, note })).toContain('is not empty');
  });

  it('takes another disk than before only where it is named', () => {
    const other = { ...BLANK, serials: ['S2'], note: MADE.note };
    expect(refusal(other)).toContain('that was the disk S1. Plug that one in again, or set "wipe" to "S2"');
    expect(planDisk(other, { ...STORAGE, wipe: 'S2' })).toEqual({ kind: 'partition', empties: false });
    expect(refusal({ ...MADE, serials: ['S2'] })).toContain('that was the disk S1');
    expect(planDisk({ ...MADE, serials: ['S2'] }, { ...STORAGE, wipe: 'S2' })).toEqual({ kind: 'adopt' });
  });

  it('tells which disks there are', () => {
    expect(refusal({ others: ['/dev/sdb disk 1T X2 Other'] })).toBe(
      'There is no /dev/sda. The board has /dev/sdb disk 1T X2 Other. Plug the disk in, or name another one.',
    );
  });
});

it('partitions are named as the kernel names them', () => {
  expect(partitionDevice('sda', 1)).toBe('sda1');
  expect(partitionDevice('nvme0n1', 2)).toBe('nvme0n1p2');
});

it('sfdisk is told sizes and names', () => {
  expect(partitionScript(STORAGE.partitions)).toBe(
    'label: gpt\nsize=1000MiB, name="bramble-data"\nname="bramble-scratch"\n',
  );
});
