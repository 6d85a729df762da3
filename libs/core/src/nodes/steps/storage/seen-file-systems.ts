import type { BoardStorage } from '../../board.ts';
import type { Probe } from '../../board-step.ts';
import type { StorageDirectory } from './storage-directories.ts';

/** A partition of the disk, and what is in it. */
export interface SeenPartition {
  device: string;
  /** Name in the partition table; empty where there is no such partition. */
  name: string;
  /** Of what wipefs finds in it. */
  signatures: string[];
  /** Label and UUID of its file system; empty where there is none. */
  label: string;
  uuid: string;
  isMounted: boolean;
}

export interface SeenFileSystems {
  /** By label of the wanted partition; empty where the system's disk is offered. */
  partitions: Map<string, SeenPartition>;
  /** What is mounted at a partition's place, as a device's numbers; by label. */
  mounted: Map<string, string>;
  /** Files that lie in a partition's place where nothing is mounted there; by label. */
  hidden: Map<string, string[]>;
  /** Paths of directories that are missing. */
  missing: string[];
  fstab: string;
}

const FSTAB_MARK = 'fstab:';

/** `$1` the disk or nothing, `$2` how many labels follow, and then paths of directories. */
const SCRIPT = `
disk=
[ -z "$1" ] || disk=$(readlink -f -- "$1")
left=$2
shift 2
joint=
case "$disk" in *[0-9]) joint=p ;; esac
[ ! -b "$disk" ] || partx --raw --noheadings --output NR,NAME -- "$disk" 2> /dev/null | sed 's/^/entry /'
number=0
while [ "$left" -gt 0 ]; do
  label=$1
  number=$((number + 1))
  shift
  left=$((left - 1))
  if [ -n "$disk" ]; then
    partition=$disk$joint$number
    echo "partition $label $number $partition"
    if [ -b "$partition" ]; then
      echo "number $label $(lsblk --nodeps --noheadings --output MAJ:MIN -- "$partition" | tr -d ' ')"
      wipefs --no-act --noheadings --output TYPE -- "$partition" 2> /dev/null | sed "s/^/signature $label /"
      blkid --probe --output export -- "$partition" 2> /dev/null | sed -n "s/^LABEL=/label $label /p; s/^UUID=/uuid $label /p"
    fi
  fi
  if mountpoint -q "/srv/$label"; then
    echo "mounted $label $(findmnt --noheadings --first-only --output MAJ:MIN --mountpoint "/srv/$label" | tr -d ' ')"
  elif [ -d "/srv/$label" ]; then
    find "/srv/$label" -mindepth 1 -maxdepth 1 | head -n 5 | sed "s/^/hidden $label /"
  else
    echo "missing /srv/$label"
  fi
done
for directory; do [ -d "$directory" ] || echo "missing $directory"; done
echo ${FSTAB_MARK}
cat /etc/fstab 2> /dev/null || true
`;

export const fileSystemsProbe = (
  { disk, partitions }: BoardStorage,
  directories: readonly StorageDirectory[],
): Probe => ({
  script: SCRIPT,
  args: [
    disk ?? '',
    String(partitions.length),
    ...partitions.map(({ label }) => label),
    ...directories.map(({ path }) => path),
  ],
});

/** What the probe saw. */
export function parseFileSystems(seen: string): SeenFileSystems {
  const at = seen.search(new RegExp(`^${FSTAB_MARK}$`, 'm'));
  const lines = seen
    .slice(0, at)
    .split('\n')
    .map((line) => line.split(' '));
  /** What was said of each label under a word. */
  const said = (word: string): Map<string, string[]> => {
    const all = new Map<string, string[]>();
    for (const [first, label = '', ...rest] of lines)
      if (first === word) all.set(label, [...(all.get(label) ?? []), rest.join(' ').trim()]);
    return all;
  };
  const one = (word: string, label: string): string => said(word).get(label)?.[0] ?? '';
  const names = said('entry');
  const mounted = new Map([...said('mounted')].map(([label, [number = '']]) => [label, number]));
  return {
    partitions: new Map(
      [...said('partition')].map(([label, [text = '']]): [string, SeenPartition] => {
        const [number = '', device = ''] = text.split(' ');
        return [
          label,
          {
            device,
            name: names.get(number)?.[0] ?? '',
            signatures: said('signature').get(label) ?? [],
            label: one('label', label),
            uuid: one('uuid', label),
            isMounted: mounted.has(label) && mounted.get(label) === one('number', label),
          },
        ];
      }),
    ),
    mounted,
    hidden: said('hidden'),
    missing: [...said('missing').keys()],
    fstab: seen.slice(at + FSTAB_MARK.length + 1),
  };
}
