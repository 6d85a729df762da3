import type { BoardStep } from '../board-step.ts';
import { readBoardFile, writeBoardFile } from '../board-files.ts';
import { hostsFile } from './hosts-file.ts';

const PATH = '/etc/hosts';

/** Before the host name: a name that does not resolve makes every sudo wait for the resolver. */
export const hostsStep: BoardStep = {
  name: 'hosts',
  title: 'the names of all boards',
  roles: null,
  async check({ connection, boards, domain }) {
    const current = await readBoardFile(connection, PATH);
    return current === hostsFile(current, boards, domain)
      ? { kind: 'right', detail: `${boards.length} boards` }
      : { kind: 'differs', detail: `${PATH} does not have all ${boards.length} boards as they are` };
  },
  async apply({ connection, boards, domain }) {
    const current = await readBoardFile(connection, PATH);
    await writeBoardFile(connection, PATH, hostsFile(current, boards, domain));
    return `wrote ${boards.length} boards to ${PATH}`;
  },
};
