import { type BoardStep, differs, right } from '../board-step.ts';
import { readBoardFile, writeBoardFile } from '../board-files.ts';
import { hostsFile } from './hosts-file.ts';

const PATH = '/etc/hosts';

/** Before the host name: a name that does not resolve makes every sudo wait for the resolver. */
export const hostsStep: BoardStep = {
  name: 'hosts',
  title: 'the names of all boards',
  roles: null,
  probe: () => ({ script: `cat ${PATH} 2> /dev/null || true` }),
  check(seen, { boards, site }) {
    return seen === hostsFile(seen, boards, site.domain)
      ? right(`${boards.length} boards`)
      : differs(`${PATH} does not have all ${boards.length} boards as they are`);
  },
  async apply({ connection, boards, site }) {
    const current = await readBoardFile(connection, PATH);
    await writeBoardFile(connection, PATH, hostsFile(current, boards, site.domain));
    return `wrote ${boards.length} boards to ${PATH}`;
  },
};
