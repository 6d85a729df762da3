import type { Board } from './board.ts';
import type { BoardStep } from './board-step.ts';
import type { NodeOperation, NodeOperationKind, StepProgress } from '../operations/operation.ts';
import { SIGN_IN_STEP } from './sign-in-to-board.ts';
import { FACTS_STEP } from './twin.ts';

/** The steps of each kind of operation, in their order. `check` and `plan` look at the steps of `enrol`. */
export type Procedures = Readonly<Record<Exclude<NodeOperationKind, 'check' | 'plan'>, readonly BoardStep[]>>;

type Kind = Pick<NodeOperation, 'kind'>;

/** Whether Bramble signs in to the board. */
export const needsBoard = ({ kind }: Kind): boolean => kind !== 'drain' && kind !== 'resume';

/** @param board undefined for a node of Slurm that is no board */
export function stepsOf(
  operation: Kind,
  board: Pick<Board, 'roles'> | undefined,
  procedures: Procedures,
): BoardStep[] {
  const { kind } = operation;
  const steps = procedures[kind === 'check' || kind === 'plan' ? 'enrol' : kind];
  const roles = board?.roles ?? [];
  return steps.filter((step) => step.roles === null || step.roles.some((role) => roles.includes(role)));
}

/** Steps of an operation, before anything is done. */
export function stepsFor(
  operation: Kind,
  board: Pick<Board, 'roles'> | undefined,
  procedures: Procedures,
): StepProgress[] {
  const meeting = needsBoard(operation) ? [SIGN_IN_STEP, FACTS_STEP] : [];
  return [...meeting, ...stepsOf(operation, board, procedures)].map(({ name, title }) => ({
    name,
    title,
    state: 'waiting',
    detail: null,
    startedAt: null,
    endedAt: null,
  }));
}
