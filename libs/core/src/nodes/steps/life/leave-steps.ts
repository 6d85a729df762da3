import { type BoardStep, differs, right } from '../../board-step.ts';
import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { succeed } from '../../succeed.ts';
import { MOUNTS_TITLE, stopMounts } from '../compute/mounts-step.ts';
import { DEFAULTS_PATH, DROP_IN_PATH } from '../compute/slurmd-files.ts';
import { fstab, fstabBlock, FSTAB_PATH } from '../fstab.ts';
import { mustBeTaken, slurmNode } from './slurm-node.ts';

const MUNGE_KEY = '/etc/munge/munge.key';
/** Files of slurmd's that only mean something in this cluster. */
const SLURM_FILES = [DEFAULTS_PATH, DROP_IN_PATH, MUNGE_KEY, '/var/lib/bramble/smoke-test'];

/** A slurmd that runs registers again, however often Slurm was told to forget it; without the key it cannot. */
const SEEN_SLURM = `
for unit in slurmd munge; do
  systemctl show --property=ActiveState --property=UnitFileState "$unit.service" | sed "s/^/$unit /"
done
for file; do [ ! -e "$file" ] || echo "file $file"; done
`;

const LEAVE_SLURM = `
set -e
for unit in slurmd munge; do
  ! systemctl cat "$unit.service" > /dev/null 2>&1 || systemctl disable --quiet --now "$unit.service"
done
rm -f -- "$@"
systemctl daemon-reload
`;

export const leaveSlurmStep: BoardStep = {
  name: 'leave-slurm',
  title: 'slurmd is off, and the key of munge removed',
  roles: ['compute'],
  probe: () => ({ script: SEEN_SLURM, args: SLURM_FILES }),
  check(seen) {
    const left = seen
      .split('\n')
      .filter((line) => /^(slurmd|munge) (ActiveState=active|UnitFileState=enabled)$|^file /.test(line));
    return left.length === 0 ? right('nothing of Slurm is left') : differs(left.join(', '));
  },
  async apply({ connection }) {
    await succeed(connection, {
      argv: ['sh', '-c', LEAVE_SLURM, 'sh', ...SLURM_FILES],
      root: true,
      timeoutMs: 120_000,
    });
    return 'slurmd and munge are off';
  },
};

/** Slurm forgets the node. One that slurm.conf names stays there, drained. */
export const forgetNodeStep: BoardStep = {
  name: 'forget-node',
  title: 'Slurm has forgotten the node',
  roles: null,
  withoutBoard: true,
  async check(_, context) {
    const node = await slurmNode(context);
    if (node === undefined) return right('Slurm does not have it');
    if (!node.flags.includes('dynamic_norm')) return right('slurm.conf names it: it stays there, drained');
    return differs('Slurm still has it');
  },
  async apply(context) {
    const { subject: name, parameters } = context.operation;
    const { nodes } = context.slurm;
    const node = await slurmNode(context);
    // Only where it is forced do jobs run there still, and Slurm forgets no node that runs one.
    if (parameters.force && node !== undefined && node.cpusAllocated > 0)
      mustBeTaken(await nodes.down(name, parameters.reason ?? 'Bramble: decommission'), 'take down');
    mustBeTaken(await nodes.remove(name), 'remove');
    return 'forgotten';
  },
};

export const leaveMountsStep: BoardStep = {
  name: 'leave-mounts',
  title: 'the directories of the storage boards are not mounted any more',
  roles: ['compute'],
  probe: () => ({ script: `cat ${FSTAB_PATH} 2> /dev/null || true` }),
  check(seen) {
    const places = fstabBlock(seen, MOUNTS_TITLE).map(({ at }) => at);
    return places.length === 0 ? right('none') : differs(places.join(', '));
  },
  async apply(context) {
    const { connection } = context;
    const current = (await readBoardFile(connection, FSTAB_PATH)) ?? '';
    await stopMounts(
      context,
      fstabBlock(current, MOUNTS_TITLE).map(({ at }) => at),
    );
    await writeBoardFile(connection, FSTAB_PATH, fstab(current, MOUNTS_TITLE, []));
    await succeed(connection, { argv: ['systemctl', 'daemon-reload'], root: true });
    return 'unmounted';
  },
};
