import { describe, expect, it } from 'vitest';
import type { BoardStorage } from '../../board.ts';
import { fstabWith, missingIn, toFormat } from './file-systems-plan.ts';
import { parseFileSystems } from './seen-file-systems.ts';

const STORAGE: BoardStorage = {
  ...{ disk: '/dev/sda', wipe: null, packageCache: false },
  partitions: [{ label: 'data', sizeMebibytes: null, mountedAt: '/data' }],
};
const ROOT = 'PARTUUID=1-02 / ext4 defaults 0 1\n';
const LINE = 'UUID=u-1\t/srv/data\text4\tdefaults,noatime,nofail,x-systemd.device-timeout=30\t0\t2\n';

const seen = (lines: readonly string[], fstab = ROOT) =>
  parseFileSystems([...lines, 'fstab:', fstab].join('\n'));

const PARTITION = ['entry 1 bramble-data', 'partition data 1 /dev/sda1', 'number data 8:1'];
const FORMATTED = [...PARTITION, 'signature data ext4', 'label data data', 'uuid data u-1'];
const WITH_LINE = fstabWith(seen(FORMATTED), STORAGE);

describe('the file systems of a disk', () => {
  it('are told by UUID, in a block of their own', () => {
    expect(WITH_LINE.startsWith(ROOT)).toBe(true);
    expect(WITH_LINE).toContain(`\n${LINE}`);
    expect(fstabWith(seen(FORMATTED, WITH_LINE), STORAGE)).toBe(WITH_LINE);
    expect(fstabWith(seen(FORMATTED, WITH_LINE), { ...STORAGE, disk: null })).toBe(ROOT);
  });

  it.each([
    ['the disk has no partition', ['partition data 1 /dev/sda1']],
    ['the disk has no partition', ['entry 1 other', ...FORMATTED.slice(1), 'signature data xfs']],
    ['/dev/sda1 has no file system yet', PARTITION],
    ['/etc/fstab has other partitions', FORMATTED],
  ])('are missing: %s', (missing, lines) => {
    expect(missingIn(seen(lines), STORAGE)).toContain(missing);
  });

  it('are mounted, and have their directories', () => {
    expect(missingIn(seen(FORMATTED, WITH_LINE), STORAGE)).toBe('/srv/data is not mounted');
    const mounted = [...FORMATTED, 'mounted data 8:1'];
    expect(missingIn(seen([...mounted, 'missing /srv/data/shared'], WITH_LINE), STORAGE)).toBe(
      'there is no /srv/data/shared',
    );
    expect(missingIn(seen(mounted, WITH_LINE), STORAGE)).toBeUndefined();
  });

  it('are made only where there is nothing, and only in partitions of Bramble', () => {
    expect(toFormat(seen(PARTITION), STORAGE)).toEqual([{ device: '/dev/sda1', label: 'data' }]);
    expect(toFormat(seen(FORMATTED), STORAGE)).toEqual([]);
    expect(toFormat(seen(['entry 1 photos', ...PARTITION.slice(1)]), STORAGE)).toEqual([]);
  });

  it.each([
    [[...PARTITION, 'signature data xfs'], ROOT, /holds xfs, not the ext4 "data"/],
    [[...PARTITION, 'signature data ext4', 'label data old'], ROOT, /holds ext4 "old"/],
    [[...FORMATTED, 'mounted data 8:17'], ROOT, /Something else than \/dev\/sda1 is mounted at \/srv\/data/],
    [[...FORMATTED, 'hidden data /srv/data/thesis'], ROOT, /would be hidden: \/srv\/data\/thesis/],
    [FORMATTED, 'LABEL=x /srv/data ext4 defaults 0 2\n', /fstab mounts LABEL=x at \/srv\/data/],
  ])('do not come in the way of something else', (lines, fstab, message) => {
    expect(() => missingIn(seen(lines, fstab), STORAGE)).toThrow(message);
  });
});

it('directories of the disk that the system is on need nothing else', () => {
  const storage = { ...STORAGE, disk: null };
  expect(missingIn(seen(['missing /srv/data']), storage)).toBe('there is no /srv/data');
  expect(missingIn(seen(['hidden data /srv/data/shared']), storage)).toBeUndefined();
});
