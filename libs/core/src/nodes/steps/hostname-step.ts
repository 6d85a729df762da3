import type { BoardStep } from '../board-step.ts';
import { readBoardFile, writeBoardFile } from '../board-files.ts';
import { succeed } from '../succeed.ts';

const PATH = '/etc/hostname';
/** Raspberry Pi OS 13 has cloud-init, which sets the name of its image again at every start. */
const CLOUD_INIT = '/etc/cloud/cloud.cfg.d';
const KEEP = `[ ! -d ${CLOUD_INIT} ] || printf 'preserve_hostname: true\\n' > ${CLOUD_INIT}/99-bramble-hostname.cfg`;

export const hostnameStep: BoardStep = {
  name: 'hostname',
  title: 'the host name',
  roles: null,
  async check({ connection, board }) {
    const { stdout } = await succeed(connection, { argv: ['cat', '/proc/sys/kernel/hostname'] });
    const now = stdout.trim();
    const atNextStart = (await readBoardFile(connection, PATH))?.trim() ?? '';
    if (now === board.name && atNextStart === board.name) return { kind: 'right', detail: board.name };
    return {
      kind: 'differs',
      detail: `it is "${now}" now and "${atNextStart}" after the next start, not "${board.name}"`,
    };
  },
  async apply({ connection, board }) {
    await writeBoardFile(connection, PATH, `${board.name}\n`);
    await succeed(connection, { argv: ['hostname', board.name], root: true });
    await succeed(connection, { argv: ['sh', '-c', KEEP], root: true });
    return `set to ${board.name}`;
  },
};
