import type { Board, BoardFacts } from './board.ts';
import { StepProblem } from './board-step.ts';

export const FACTS_STEP = { name: 'facts', title: 'what the board is' } as const;

/**
 * Refuses another board than the one that was enrolled: a card that was put into another board takes the host key along.
 * @throws StepProblem
 */
export function refuseStranger(board: Board, facts: BoardFacts): void {
  const known = board.facts?.serial ?? null;
  if (known === null || facts.serial === null || facts.serial === known) return;
  throw new StepProblem(
    `"${board.name}" has the serial number ${facts.serial}, and was enrolled with ${known}. If another board has taken ` +
      'its place, apply with "replace".',
  );
}

/**
 * Refuses a board that is enrolled under another name: fresh images are all called the same, and cards that were cloned
 * share their machine id.
 * @throws StepProblem naming the other board
 */
export function refuseTwin(board: Board, facts: BoardFacts, boards: readonly Board[]): void {
  const twin = boards.find(
    (other) =>
      other.id !== board.id &&
      other.facts !== null &&
      ((facts.serial !== null && other.facts.serial === facts.serial) ||
        other.facts.machineId === facts.machineId),
  );
  if (twin?.facts === undefined || twin.facts === null) return;
  const [what, remedy] =
    facts.serial !== null && twin.facts.serial === facts.serial
      ? ['is the same board as', 'Give the address of another board, or take that one out first.']
      : [
          'has the machine id of',
          'Its card was cloned: remove /etc/machine-id there, run systemd-machine-id-setup, and try again.',
        ];
  throw new StepProblem(`"${board.name}" ${what} "${twin.name}". ${remedy}`);
}
