import { z } from 'zod';
import { type Probe, StepProblem } from '../../board-step.ts';

/** Says which disk Bramble is at work on, or has prepared: what is on it then is not Bramble's to empty. */
export const DISK_NOTE = '/var/lib/bramble/storage-disk';

/** A file system or something else that blkid and wipefs know, and where it was found. */
export interface Signature {
  /** Name of the kernel, such as `sda1`. */
  device: string;
  /** Such as `ext4`, `gpt`, `LVM2_member`. */
  type: string;
  label: string;
}

/** A line of the partition table as it is on the disk. */
export interface TableEntry {
  number: number;
  mebibytes: number;
  name: string;
}

export interface SeenDisk {
  /** Path of the device, links followed. */
  device: string;
  /** Name of the kernel, such as `sda`. */
  name: string;
  type: string;
  mebibytes: number;
  isReadOnly: boolean;
  /** Each that it tells: a USB bridge may have one of its own. */
  serials: string[];
  model: string;
  /** Whether it carries `/` or what the board starts from, by whatever layers. */
  holdsSystem: boolean;
  /** What is mounted of it, and what else is stacked upon it. */
  uses: string[];
  signatures: Signature[];
  entries: TableEntry[];
  /** Partitions that the kernel knows. */
  partitions: string[];
  /** What {@link DISK_NOTE} says, of whichever disk. */
  note: { state: 'preparing' | 'prepared'; serial: string } | null;
}

/** Where the device that was asked for does not exist: the disks that do. */
export interface MissingDisk {
  others: string[];
}

/** `$1` the device. Nothing is read from the board's cache of udev: it may be older than the disk. */
const SCRIPT = `
device=$(readlink -f -- "$1")
if [ ! -b "$device" ]; then
  lsblk --nodeps --noheadings --output PATH,TYPE,SIZE,SERIAL,MODEL 2> /dev/null | awk '$2 == "disk"' | sed 's/^/other /'
  exit 0
fi
echo "device $device"
echo "disk $(lsblk --json --bytes --output KNAME,TYPE,SIZE,RO,SERIAL,MODEL,MOUNTPOINT -- "$device" | tr -d '\\n')"
udevadm info --query=property --name="$device" 2> /dev/null | sed -n 's/^ID_SERIAL_SHORT=/serial /p'
for place in / /boot /boot/firmware; do
  source=$(findmnt --noheadings --nofsroot --first-only --output SOURCE --target "$place" 2> /dev/null)
  [ ! -b "$source" ] || lsblk --noheadings --inverse --list --output KNAME -- "$source" | sed 's/^/system /'
done
for name in $(lsblk --noheadings --list --output KNAME -- "$device"); do
  wipefs --no-act --noheadings --output TYPE,LABEL -- "/dev/$name" 2> /dev/null | sed "s/^/signature $name /"
done
partx --raw --noheadings --output NR,SECTORS,NAME -- "$device" 2> /dev/null | sed 's/^/entry /'
[ ! -e ${DISK_NOTE} ] || echo "note $(cat ${DISK_NOTE})"
`;

export const diskProbe = (device: string): Probe => ({ script: SCRIPT, args: [device] });

const SECTORS_A_MEBIBYTE = 2048;

const blockDevice = z.object({
  kname: z.string(),
  type: z.string(),
  size: z.coerce.number(),
  ro: z.boolean(),
  serial: z.string().nullable(),
  model: z.string().nullable(),
  mountpoint: z.string().nullable(),
  get children(): z.ZodOptional<z.ZodArray<typeof blockDevice>> {
    return z.array(blockDevice).optional();
  },
});
type BlockDevice = z.output<typeof blockDevice>;
/** The first is the disk; by the release of lsblk, the others are below or beside it. */
const listing = z.object({ blockdevices: z.tuple([blockDevice], blockDevice) });

/**
 * What the probe saw.
 * @throws StepProblem, passing, where the disk went away meanwhile
 */
export function parseDisk(seen: string): SeenDisk | MissingDisk {
  const lines = seen.split('\n');
  const after = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim());
  const [device] = after('device');
  if (device === undefined) return { others: after('other').map((line) => line.replace(/\s+/g, ' ')) };
  const [disk, ...beside] = blockDevices(device, after('disk')[0] ?? '');
  const below = [...descendants(disk), ...beside.flatMap((one) => [one, ...descendants(one)])];
  const names = [disk, ...below].map(({ kname }) => kname);
  return {
    device,
    name: disk.kname,
    type: disk.type,
    mebibytes: Math.floor(disk.size / 1024 / 1024),
    isReadOnly: disk.ro,
    serials: [...new Set([disk.serial ?? '', ...after('serial')].map((serial) => serial.trim()))].filter(
      (serial) => serial !== '',
    ),
    model: (disk.model ?? '').trim(),
    holdsSystem: after('system').some((name) => names.includes(name.trim())),
    uses: [disk, ...below].flatMap(usesOf),
    signatures: after('signature').map((line) => {
      const [name = '', type = '', ...label] = line.split(/\s+/);
      return { device: name, type, label: label.join(' ') };
    }),
    entries: after('entry').map((line) => {
      const [number, sectors, name = ''] = line.split(' ');
      return { number: Number(number), mebibytes: Number(sectors) / SECTORS_A_MEBIBYTE, name };
    }),
    partitions: below.filter(({ type }) => type === 'part').map(({ kname }) => kname),
    note: noteOf(after('note')[0]),
  };
}

function blockDevices(device: string, json: string): [BlockDevice, ...BlockDevice[]] {
  try {
    return listing.parse(JSON.parse(json)).blockdevices;
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof z.ZodError)) throw cause;
    throw new StepProblem(`lsblk tells nothing of ${device} that can be gone by: ${json.slice(0, 500)}`, {
      passing: true,
    });
  }
}

function descendants({ children = [] }: BlockDevice): BlockDevice[] {
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function usesOf({ kname, type, mountpoint }: BlockDevice): string[] {
  if (mountpoint !== null) return [`${kname} is mounted at ${mountpoint}`];
  return ['disk', 'loop', 'part'].includes(type) ? [] : [`${kname} (${type}) is on it`];
}

function noteOf(text: string | undefined): SeenDisk['note'] {
  const [, state, serial] = /^(preparing|prepared) ?(.*)$/.exec(text ?? '') ?? [];
  if ((state !== 'preparing' && state !== 'prepared') || serial === undefined) return null;
  return { state, serial };
}
