import type { BoardFacts } from './board.ts';
import { StepProblem } from './board-step.ts';

/** Raspberry Pi OS calls itself `debian` where it is of 64 bits, and `raspbian` where it is of 32. */
const KNOWN = /^(debian|raspbian) (\d+)$/;
const OLDEST = 12;
const NEWEST = 13;

/**
 * Refuses a system that the steps were not made for, before anything is changed there.
 * @throws StepProblem
 */
export function refuseUnknownSystem({ os }: BoardFacts): void {
  const release = Number(KNOWN.exec(os)?.[2]);
  if (release >= OLDEST && release <= NEWEST) return;
  throw new StepProblem(
    `The board runs "${os}", which is not known here: install Raspberry Pi OS or Debian, ${OLDEST} to ${NEWEST}.`,
  );
}
