import { type BoardStep, differs, right } from '../board-step.ts';
import { writeBoardFile } from '../board-files.ts';
import { succeed } from '../succeed.ts';

const PATH = '/etc/hostname';
/** Raspberry Pi OS 13 has cloud-init, which sets the name of its image again at every start. */
const CLOUD_INIT = '/etc/cloud/cloud.cfg.d';
const KEEP = `[ ! -d ${CLOUD_INIT} ] || printf 'preserve_hostname: true\\n' > ${CLOUD_INIT}/99-bramble-hostname.cfg`;

export const hostnameStep: BoardStep = {
  name: 'hostname',
  title: 'the host name',
  roles: null,
  probe: () => ({ script: `cat /proc/sys/kernel/hostname; cat ${PATH} 2> /dev/null || true` }),
  check(seen, { board }) {
    const [now = '', atNextStart = ''] = seen.split('\n').map((line) => line.trim());
    if (now === board.name && atNextStart === board.name) return right(board.name);
    return differs(`it is "${now}" now and "${atNextStart}" after the next start, not "${board.name}"`);
  },
  async apply({ connection, board }) {
    await writeBoardFile(connection, PATH, `${board.name}\n`);
    await succeed(connection, { argv: ['hostname', board.name], root: true });
    await succeed(connection, { argv: ['sh', '-c', KEEP], root: true });
    return `set to ${board.name}`;
  },
};
