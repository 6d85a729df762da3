import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';
import { EXPORTS_FILE } from './exports-file.ts';

/** Where the server was never installed, there is no exportfs to be told. */
const WITHDRAW = `rm -f ${EXPORTS_FILE}; ! command -v exportfs > /dev/null || exportfs -ra`;

/** For a storage board that leaves: what it holds stays on it, and nobody is served any more. */
export const withdrawExportsStep: BoardStep = {
  name: 'withdraw-exports',
  title: 'nothing is exported over NFS any more',
  roles: ['storage'],
  probe: () => ({ script: `[ ! -e ${EXPORTS_FILE} ] || echo exports` }),
  check(seen, context) {
    if (!seen.includes('exports')) return right('nothing is exported');
    const users = context.operation.parameters.force ? [] : usersOf(context);
    if (users.length > 0)
      throw new StepProblem(
        `${users.join(', ')} mount what it exports: take them out first, or apply with other storage, or force it.`,
      );
    return differs('something is still exported');
  },
  async apply({ connection }) {
    await succeed(connection, { argv: ['sh', '-c', WITHDRAW], root: true });
    return 'exports nothing any more; the data is where it was';
  },
};

function usersOf({ board, boards }: StepContext): string[] {
  if (!(board.storage?.partitions ?? []).some(({ mountedAt }) => mountedAt !== null)) return [];
  return boards
    .filter(({ id, roles }) => id !== board.id && roles.includes('compute'))
    .map(({ name }) => name);
}
