import type { BoardStorage } from '../../board.ts';
import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { writeBoardFile } from '../../board-files.ts';
import { succeed } from '../../succeed.ts';
import { describe, type DiskStorage, partitionDevice, partitionScript, planDisk } from './disk-plan.ts';
import { look } from './look.ts';
import { DISK_NOTE, diskProbe, type MissingDisk, parseDisk, type SeenDisk } from './seen-disk.ts';
import { installStoragePackages } from './storage-packages.ts';

/** A disk that sleeps takes seconds to answer. */
const WITHIN_MS = 120_000;

/** `$1` the disk, `$2` what sfdisk is told; then the partitions that the kernel knows, the last one first. */
const PARTITION = `
set -eu
disk=$1
script=$2
shift 2
for partition; do wipefs --quiet --all -- "$partition"; done
wipefs --quiet --all -- "$disk"
printf %s "$script" | sfdisk --quiet --lock --wipe always --wipe-partitions always -- "$disk"
`;

/** `$1` the disk, then its partitions. A kernel that reads tables by itself knows them already. */
const SETTLE = `
set -eu
disk=$1
shift
partx --update -- "$disk" || true
! command -v udevadm > /dev/null || udevadm settle --timeout=30 || true
for partition; do
  tries=0
  until [ -b "$partition" ]; do
    [ "$tries" -lt 100 ] || { echo "the kernel does not show $partition" >&2; exit 1; }
    sleep 0.1
    tries=$((tries + 1))
  done
done
`;

/** The partitions of a storage board's disk. What holds data is never touched, unless that was said of its serial. */
export const diskStep: BoardStep = {
  name: 'disk',
  title: 'the partitions of the disk',
  roles: ['storage'],
  probe: ({ board: { storage } }) => (hasDisk(storage) ? diskProbe(storage.disk) : { script: 'true' }),
  check(seen, { board: { storage } }) {
    if (storage === null) return right('nothing to offer');
    if (!hasDisk(storage)) return right('directories of the disk that the system is on');
    const disk = parseDisk(seen);
    const plan = planDisk(disk, storage);
    const about = describe(existing(disk));
    switch (plan.kind) {
      case 'right':
        return right(about);
      case 'adopt':
        return differs(`${about} has its partitions, but they are not in use yet`);
      case 'partition':
        return differs(plan.empties ? `${about} is emptied and partitioned` : `${about} is blank`);
    }
  },
  async apply(context) {
    const { connection } = context;
    const { storage } = context.board;
    if (!hasDisk(storage)) return 'nothing to do';
    if (!(await hasProgram(context, 'sfdisk'))) await installStoragePackages(context, storage);
    // Minutes may have passed since it was looked at.
    const disk = parseDisk(await look(connection, diskProbe(storage.disk)));
    const plan = planDisk(disk, storage);
    const { device, name, partitions, serials } = existing(disk);
    const [serial = ''] = serials;
    const paths = storage.partitions.map((_, index) => `/dev/${partitionDevice(name, index + 1)}`);
    await succeed(connection, { argv: ['mkdir', '-p', '/var/lib/bramble'], root: true });
    if (plan.kind === 'partition') {
      await writeBoardFile(connection, DISK_NOTE, `preparing ${serial}\n`);
      const before = partitions.toReversed().map((partition) => `/dev/${partition}`);
      await succeed(connection, {
        argv: ['sh', '-c', PARTITION, 'sh', device, partitionScript(storage.partitions), ...before],
        root: true,
        timeoutMs: WITHIN_MS,
      });
    }
    await succeed(connection, {
      argv: ['sh', '-c', SETTLE, 'sh', device, ...paths],
      root: true,
      timeoutMs: WITHIN_MS,
    });
    await writeBoardFile(connection, DISK_NOTE, `prepared ${serial}\n`);
    return plan.kind === 'partition' ? `made ${paths.join(', ')}` : `took ${paths.join(', ')} as they are`;
  },
};

const hasDisk = (storage: BoardStorage | null): storage is DiskStorage => typeof storage?.disk === 'string';

function existing(disk: SeenDisk | MissingDisk): SeenDisk {
  if ('others' in disk) throw new StepProblem('The disk has gone.');
  return disk;
}

async function hasProgram({ connection }: StepContext, program: string): Promise<boolean> {
  const end = await connection.run({
    argv: ['sh', '-c', 'command -v -- "$1"', 'sh', program],
    root: true,
  });
  return end.kind === 'exited' && end.code === 0;
}
