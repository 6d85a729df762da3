import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { hasRebooted, rebootBoard } from '../../reboot-board.ts';
import { refuseCommandLine, withMemoryController } from './kernel-command-line.ts';

/**
 * From Debian 12 on, the first is the file, and the second says only where it has gone. /proc/cgroups tells of version 1
 * alone where the kernel is new, cgroup.controllers of version 2.
 */
const PROBE = `
for file in /boot/firmware/cmdline.txt /boot/cmdline.txt; do
  if [ -f "$file" ]; then
    echo "$file"
    break
  fi
  file=
done
[ -n "$file" ] || echo none
if grep -qsw memory /sys/fs/cgroup/cgroup.controllers || awk '$1 == "memory" && $4 == 1 { on = 1 } END { exit !on }' /proc/cgroups; then
  echo on
else
  echo off
fi
[ -z "$file" ] || cat "$file"
`;

/** Mode that every file of a FAT file system seems to have. */
const MODE = '0755';
const STILL_OFF =
  'The kernel has no memory controller after a restart with it on its command line. See whether the firmware starts the board from another cmdline.txt (os_prefix, autoboot.txt), or whether its kernel has no CONFIG_MEMCG.';

/** Slurm can hold jobs to the memory that they asked for only where the kernel can. */
export const memoryCgroupStep: BoardStep = {
  name: 'memory-cgroup',
  title: 'the memory controller of the kernel',
  roles: null,
  probe: () => ({ script: PROBE }),
  async check(seen, context) {
    const { path, isOn, text } = parse(seen);
    if (path === undefined)
      return right(`no cmdline.txt, so no Raspberry Pi's start; the controller is ${isOn ? 'on' : 'off'}`);
    const refused = refuseCommandLine(text);
    if (refused !== undefined)
      throw new StepProblem(`${path} is not changed, because ${refused}. Mend it before the board restarts.`);
    if (withMemoryController(text) !== text) return differs(`${path} does not have it on`);
    if (isOn) return right('on');
    if (await hasRebooted(context, 'memory-cgroup')) throw new StepProblem(STILL_OFF);
    return differs('on from the next start');
  },
  async apply(context, seen) {
    const { path, isOn, text } = parse(seen);
    if (path === undefined) throw new Error('there is nothing to apply without cmdline.txt');
    if (withMemoryController(text) !== text) await change(context, path);
    if (isOn) return `${path} has it on`;
    await refuseWhileJobsRun(context);
    await rebootBoard(context, 'memory-cgroup');
    return 'on after a restart';
  },
};

async function change({ connection }: StepContext, path: string): Promise<void> {
  const current = (await readBoardFile(connection, path)) ?? '';
  const refused = refuseCommandLine(current);
  if (refused !== undefined) throw new StepProblem(`${path} is not changed, because ${refused}.`);
  try {
    await writeBoardFile(connection, `${path}.before-bramble`, current, MODE);
    await writeBoardFile(connection, path, withMemoryController(current), MODE);
  } catch (error) {
    if (!(error instanceof StepProblem) || error.passing) throw error;
    throw new StepProblem(
      `${path} cannot be written, and is as it was. Is its file system full, or read-only? ${error.message}`,
    );
  }
}

async function refuseWhileJobsRun({ slurm, board }: StepContext): Promise<void> {
  const answer = await slurm.nodes.find(board.name);
  if (answer.kind !== 'present' || answer.value.cpusAllocated === 0) return;
  throw new StepProblem(
    'The board has to restart, and runs jobs. Drain it, and apply again when they have ended.',
  );
}

function parse(seen: string): { path: string | undefined; isOn: boolean; text: string } {
  const [path = 'none', state, ...rest] = seen.split('\n');
  return { path: path === 'none' ? undefined : path, isOn: state === 'on', text: rest.join('\n') };
}
