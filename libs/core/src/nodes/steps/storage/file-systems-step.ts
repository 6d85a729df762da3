import type { BoardStorage } from '../../board.ts';
import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { writeBoardFile } from '../../board-files.ts';
import { finishLong, runLong } from '../../run-long.ts';
import { succeed } from '../../succeed.ts';
import { fstabWith, missingIn, toFormat } from './file-systems-plan.ts';
import { fileSystemsProbe, parseFileSystems, type SeenFileSystems } from './seen-file-systems.ts';
import { look } from './look.ts';
import { placeOf, storageDirectories, type StorageDirectory } from './storage-directories.ts';

const FSTAB = '/etc/fstab';
const FORMAT_WITHIN_MS = 30 * 60_000;
const MOUNT_WITHIN_MS = 180_000;

/** `$1` the partition, `$2` the label. mke2fs would ask before it overwrites something, but has nobody to ask. */
const FORMAT = `
found=$(wipefs --no-act --noheadings --output TYPE -- "$1")
[ -z "$found" ] || { echo "$1 holds $found by now"; exit 1; }
mkfs.ext4 -q -m 1 -L "$2" "$1"
`;

/** Name of the long work. */
const formatting = ({ label }: { label: string }): string => `mkfs-${label}`;

/** The text on stdin. One that was wrong before may stay so. */
const VERIFY = `
new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT
cat > "$new"
said=$(findmnt --verify --tab-file "$new" 2>&1) && exit 0
findmnt --verify > /dev/null 2>&1 || exit 0
echo "$said"
exit 1
`;

/** `$1` the place. A boot that went without the disk may have left the unit failed. */
const MOUNT = `
unit=$(systemd-escape --path --suffix=mount -- "$1")
systemctl start -- "$unit" && exit 0
journalctl --unit "$unit" --lines 5 --no-pager --output cat >&2
exit 1
`;

/** Path, mode and owner, three by three. It appears whole, or not at all. */
const MAKE = `
set -e
while [ "$#" -ge 3 ]; do
  if [ ! -d "$1" ]; then
    rm -rf -- "$1.bramble-new"
    mkdir -m 0700 -- "$1.bramble-new"
    chown -- "$3" "$1.bramble-new"
    chmod -- "$2" "$1.bramble-new"
    mv -T -- "$1.bramble-new" "$1"
  fi
  shift 3
done
`;

/** What a storage board offers, mounted by UUID: another disk may have the name next time. */
export const fileSystemsStep: BoardStep = {
  name: 'file-systems',
  title: 'the file systems and directories that are offered',
  roles: ['storage'],
  probe(context) {
    const { storage } = context.board;
    return storage === null ? { script: 'true' } : fileSystemsProbe(storage, directoriesFor(context));
  },
  check(seen, { board: { storage } }) {
    if (storage === null) return right('nothing to offer');
    const missing = missingIn(parseFileSystems(seen), storage);
    return missing === undefined ? right(storage.partitions.map(placeOf).join(', ')) : differs(missing);
  },
  async apply(context) {
    const { connection } = context;
    const { storage } = context.board;
    if (storage === null) return 'nothing to do';
    const places = storage.partitions.map(placeOf);
    // What is being formatted may look formatted already.
    if (storage.disk !== null) await finishLong(context, storage.partitions.map(formatting));
    for (const { device, label } of toFormat(await lookAgain(context, storage), storage))
      await runLong(context, {
        ...{ name: formatting({ label }), script: FORMAT, args: [device, label] },
        timeoutMs: FORMAT_WITHIN_MS,
      });
    await succeed(connection, { argv: ['mkdir', '-p', '-m', '0755', '--', ...places], root: true });
    const seen = await lookAgain(context, storage);
    await writeFstab(context, seen, fstabWith(seen, storage));
    if (storage.disk !== null)
      for (const place of places)
        await succeed(connection, {
          ...{ argv: ['sh', '-c', MOUNT, 'sh', place], root: true, timeoutMs: MOUNT_WITHIN_MS },
        });
    const directories = directoriesFor(context).flatMap(({ path, mode, owner }) => [path, mode, owner]);
    await succeed(connection, { argv: ['sh', '-c', MAKE, 'sh', ...directories], root: true });
    return places.join(', ');
  },
};

function directoriesFor({ board: { storage }, site }: StepContext): StorageDirectory[] {
  return storage === null ? [] : storageDirectories(storage, site.accounts);
}

async function lookAgain(context: StepContext, storage: BoardStorage): Promise<SeenFileSystems> {
  return parseFileSystems(await look(context.connection, fileSystemsProbe(storage, directoriesFor(context))));
}

/** @throws StepProblem where the board could not read it */
async function writeFstab({ connection }: StepContext, seen: SeenFileSystems, text: string): Promise<void> {
  if (text !== seen.fstab) {
    const end = await connection.run({ argv: ['sh', '-c', VERIFY], input: text, root: true });
    if (end.kind === 'exited' && end.code !== 0)
      throw new StepProblem(`${FSTAB} would not be right: ${(end.stdout + end.stderr).trim()}`);
    if (end.kind !== 'exited')
      throw new StepProblem(`The board went away: ${end.because}`, { passing: true });
    await writeBoardFile(connection, FSTAB, text);
  }
  // Whoever wrote it before may not have come this far.
  await succeed(connection, { argv: ['systemctl', 'daemon-reload'], root: true });
}
