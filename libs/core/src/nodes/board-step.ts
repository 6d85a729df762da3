import type { Board, BoardFacts, BoardRole } from './board.ts';
import type { BoardConnection } from './board-connection.ts';

/** What a step has to go by. */
export interface StepContext {
  board: Board;
  connection: BoardConnection;
  facts: BoardFacts;
  /** All boards of the cluster, this one among them. */
  boards: readonly Board[];
  /** DNS domain of the cluster, such as `home.lab`. */
  domain: string;
}

/** Whether the board is as the step wants it. */
export type StepFinding = { kind: 'right'; detail: string } | { kind: 'differs'; detail: string };

/**
 * One thing that has to be so on a board. Both functions may be run at any time and any number of times: what there is
 * to do is found out from the board, never from what was done before.
 */
export interface BoardStep {
  name: string;
  title: string;
  /** Roles of boards that it is for; null for every board. */
  roles: readonly BoardRole[] | null;
  /** @throws StepProblem where it cannot be found out */
  check(context: StepContext): Promise<StepFinding>;
  /**
   * @returns what was done, in words
   * @throws StepProblem
   */
  apply(context: StepContext): Promise<string>;
}

/** What is in the way of a step, in words for the admin. */
export class StepProblem extends Error {
  /** Whether it may pass by itself, so that trying again makes sense: the board is away, or a lock is held. */
  readonly passing: boolean;

  constructor(message: string, { passing = false }: { passing?: boolean } = {}) {
    super(message);
    this.name = 'StepProblem';
    this.passing = passing;
  }
}
