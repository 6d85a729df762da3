import type { Reason } from '../jobs/job.ts';

/** What is done with a board: `check` looks and changes nothing, `enrol` also applies what differs. */
export const OPERATION_KINDS = ['enrol', 'check'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export const OPERATION_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

export const isOver = (state: OperationState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';

/** `unchanged`: it was right already; `differs`: a check has found that it is not. */
export const STEP_STATES = [
  'waiting',
  'checking',
  'applying',
  'unchanged',
  'applied',
  'differs',
  'failed',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** How far a step has come, as people watch it. */
export interface StepProgress {
  name: string;
  /** What the step sees to, in words. */
  title: string;
  state: StepState;
  /** What was found, what was done, or what is in the way. */
  detail: string | null;
  startedAt: Date | null;
  endedAt: Date | null;
}

/** Work on one board, watched step by step. At most one is under way for a board. */
export interface Operation {
  id: string;
  /** Grows by one with every change: what a compare-and-set compares. */
  version: number;
  boardId: string;
  kind: OperationKind;
  state: OperationState;
  reason: Reason | null;
  steps: StepProgress[];
  cancelRequestedAt: Date | null;
  /** When a worker should look at it again; null once it is over. */
  lookAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
}

export type OperationPatch = Partial<Omit<Operation, 'id' | 'version' | 'boardId' | 'kind' | 'createdAt'>>;
