import type { Board } from '../board.ts';
import { type BoardStep, differs, right } from '../board-step.ts';
import { readBoardFile, writeBoardFile } from '../board-files.ts';
import { hostsFile } from './hosts-file.ts';

const PATH = '/etc/hosts';

/** Kept with the operation: which boards this one has in its file. */
export const KNOWN_BOARDS = 'known-boards';

export const knownBoards = (boards: readonly Pick<Board, 'name' | 'address'>[]): string =>
  boards.map(({ name, address }) => `${name}=${address}`).join(' ');

/** Before the host name: a name that does not resolve makes every sudo wait for the resolver. */
export const hostsStep: BoardStep = {
  name: 'hosts',
  title: 'the names of all boards',
  roles: null,
  probe: () => ({ script: `cat ${PATH} 2> /dev/null || true` }),
  async check(seen, context) {
    const { boards, site } = context;
    if (seen !== hostsFile(seen, boards, site.domain))
      return differs(`${PATH} does not have all ${boards.length} boards as they are`);
    if (context.note(KNOWN_BOARDS) !== knownBoards(boards))
      await context.keepNote(KNOWN_BOARDS, knownBoards(boards));
    return right(`${boards.length} boards`);
  },
  async apply({ connection, boards, site }) {
    const current = await readBoardFile(connection, PATH);
    await writeBoardFile(connection, PATH, hostsFile(current, boards, site.domain));
    return `wrote ${boards.length} boards to ${PATH}`;
  },
};
