import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { installPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import { fstab, fstabBlock, type FstabEntry, fstabOutside, FSTAB_PATH } from '../fstab.ts';
import { type BoardMount, boardMounts } from './board-mounts.ts';

/** Title of the block in fstab. */
export const MOUNTS_TITLE = 'directories of storage boards';
const FSTAB_MARK = 'fstab:';
/** The mount unit itself gives up after 30 s. */
const MOUNTED_WITHIN_MS = 60_000;

/** `$@` places. Nothing here looks into one of them: that would mount it, or wait for its server. */
const PROBE = `
dpkg-query --show --showformat='\${db:Status-Status}\\n' nfs-common 2> /dev/null
for place; do
  for kind in automount mount; do
    unit=$(systemd-escape --path --suffix="$kind" -- "$place")
    echo "$kind $(systemctl show --property=ActiveState --value -- "$unit") $place"
  done
done
echo ${FSTAB_MARK}
cat ${FSTAB_PATH} 2> /dev/null || true
`;

/** Directories of storage boards, mounted when they are used: a board starts and works without their servers. */
export const mountsStep: BoardStep = {
  name: 'mounts',
  title: 'the directories of the storage boards',
  roles: ['compute'],
  probe: (context) => ({ script: PROBE, args: mountsOf(context).map(({ entry }) => entry.at) }),
  check(seen, context) {
    const mounts = mountsOf(context);
    const { isClient, states, current } = parse(seen);
    refuseTaken(mounts, current);
    if (!isClient && mounts.some(({ server }) => server !== null))
      return differs('nfs-common is not installed');
    if (current !== wanted(current, mounts)) return differs(`${FSTAB_PATH} has other mounts`);
    const stopped = mounts.find(({ entry, server }) => {
      const kind = server === null ? 'mount' : 'automount';
      return states.get(`${kind} ${entry.at}`) !== 'active';
    });
    if (stopped !== undefined) return differs(`${stopped.entry.at} is not there`);
    return right(mounts.length === 0 ? 'none' : mounts.map(({ entry }) => entry.at).join(', '));
  },
  async apply(context, seen) {
    const { connection } = context;
    const mounts = mountsOf(context);
    if (!parse(seen).isClient && mounts.some(({ server }) => server !== null))
      await installPackages(context, ['nfs-common']);
    const current = (await readBoardFile(connection, FSTAB_PATH)) ?? '';
    const text = wanted(current, mounts);
    await stopMounts(context, gone(fstabBlock(current, MOUNTS_TITLE), mounts));
    if (text !== current) await writeBoardFile(connection, FSTAB_PATH, text);
    await succeed(connection, { argv: ['systemctl', 'daemon-reload'], root: true });
    for (const mount of mounts) await start(context, mount);
    return mounts.length === 0 ? 'none' : mounts.map(({ entry }) => entry.at).join(', ');
  },
};

const mountsOf = ({ board, boards, site }: StepContext): BoardMount[] => boardMounts(board, boards, site);

const wanted = (current: string, mounts: readonly BoardMount[]): string =>
  fstab(
    current,
    MOUNTS_TITLE,
    mounts.map(({ entry }) => entry),
  );

/** @throws StepProblem where two things are to be mounted at one place */
function refuseTaken(mounts: readonly BoardMount[], current: string): void {
  const taken = new Map(fstabOutside(current, MOUNTS_TITLE).map(({ at, source }) => [at, source]));
  for (const { entry } of mounts) {
    const other = taken.get(entry.at);
    if (other !== undefined)
      throw new StepProblem(
        `${FSTAB_PATH} mounts ${other} at ${entry.at}, where ${entry.source} belongs. Remove that line, or mount elsewhere.`,
      );
    taken.set(entry.at, entry.source);
  }
}

/** What was mounted and is to be no more, or from another source. */
function gone(before: readonly FstabEntry[], mounts: readonly BoardMount[]): string[] {
  const stays = new Set(mounts.map(({ entry }) => `${entry.source} ${entry.at} ${entry.options.join(',')}`));
  return before
    .filter(({ source, at, options }) => !stays.has(`${source} ${at} ${options.join(',')}`))
    .map(({ at }) => at);
}

/** `$@` places. A mount that is in use, or whose server is away, stays until the next start. */
const STOP = `
for place; do
  timeout -k 5 20 systemctl stop -- "$(systemd-escape --path --suffix=automount -- "$place")" \\
    "$(systemd-escape --path --suffix=mount -- "$place")" 2> /dev/null
done
true
`;

/** Unmounts directories of storage boards; one that is in use stays until the next start of the board. */
export async function stopMounts({ connection }: StepContext, places: readonly string[]): Promise<void> {
  if (places.length > 0)
    await succeed(connection, { argv: ['sh', '-c', STOP, 'sh', ...places], root: true, timeoutMs: 300_000 });
}

/** `$1` place, `$2` kind of unit. */
const START = 'exec systemctl start -- "$(systemd-escape --path --suffix="$2" -- "$1")"';

/** `$1` server. */
const ANSWERS = `timeout 3 bash -c '< "/dev/tcp/$0/2049"' "$1" 2> /dev/null`;

/** `$1` place. The look that mounts it may hang, and then cannot be killed: it is waited for no longer than this. */
const MOUNT = `
unit=$(systemd-escape --path --suffix=mount -- "$1")
if timeout -k 5 40 systemctl start -- "$unit" > /dev/null 2>&1; then exit 0; fi
journalctl --unit "$unit" --lines 5 --no-pager --output cat
exit 1
`;

/**
 * Has systemd mount it on use, and mounts it at once where its server answers.
 * @throws StepProblem where it cannot be mounted although its server answers
 */
async function start(context: StepContext, { entry, server }: BoardMount): Promise<void> {
  const { connection } = context;
  const kind = server === null ? 'mount' : 'automount';
  await succeed(connection, { argv: ['sh', '-c', START, 'sh', entry.at, kind], root: true });
  if (server === null) return;
  const answer = await connection.run({ argv: ['sh', '-c', ANSWERS, 'sh', server], root: true });
  if (answer.kind === 'exited' && answer.code !== 0) {
    await context.say(`${server} does not answer as an NFS server: ${entry.at} is mounted once it does.\n`);
    return;
  }
  const end = await connection.run({
    ...{ argv: ['sh', '-c', MOUNT, 'sh', entry.at], root: true, timeoutMs: MOUNTED_WITHIN_MS },
  });
  if (end.kind === 'exited' && end.code === 0) return;
  const because = end.kind === 'exited' ? end.stdout.trim() : end.because;
  throw new StepProblem(
    `${entry.source} cannot be mounted at ${entry.at}, although ${server} answers: ${because}. Does it export that to this board?`,
    { passing: end.kind === 'lost' || end.kind === 'unreachable' },
  );
}

function parse(seen: string): { isClient: boolean; states: Map<string, string>; current: string } {
  const at = seen.indexOf(`${FSTAB_MARK}\n`);
  const lines = seen.slice(0, at).split('\n');
  const states = lines.flatMap((line): [string, string][] => {
    const [, kind, state, place] = /^(automount|mount) (\S+) (.*)$/.exec(line) ?? [];
    return place === undefined ? [] : [[`${kind ?? ''} ${place}`, state ?? '']];
  });
  return {
    isClient: lines.includes('installed'),
    states: new Map(states),
    current: seen.slice(at + FSTAB_MARK.length + 1),
  };
}
