import type { Reason } from '../jobs/job.ts';

/**
 * What is done with a node: `enrol` makes a board what it is to be, `check` only looks, `plan` looks at a board that is
 * not enrolled. `drain` and `resume` concern Slurm alone, also for nodes that are no boards of Bramble's. `hosts` tells a
 * board of others that have come, moved or gone.
 */
export const OPERATION_KINDS = [
  'enrol',
  'check',
  'plan',
  'drain',
  'resume',
  'reboot',
  'upgrade',
  'decommission',
  'hosts',
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** What an admin says of an operation. */
export interface OperationParameters {
  /** Why it is done; Slurm shows it at a drained node. */
  reason: string | null;
  /** Not to wait for jobs, and not to need the board. */
  force: boolean;
}

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

/** Work on one node, watched step by step. At most one is under way for a node. */
export interface Operation {
  id: string;
  /** Grows by one with every change: what a compare-and-set compares. */
  version: number;
  /** Name of the node. */
  node: string;
  /** null where the node is no board, or none any more. */
  boardId: string | null;
  kind: OperationKind;
  parameters: OperationParameters;
  /** What steps keep between two runs. */
  notes: Record<string, string>;
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

export type OperationPatch = Partial<
  Omit<Operation, 'id' | 'version' | 'node' | 'boardId' | 'kind' | 'parameters' | 'createdAt'>
>;

/** Text that a step has shown, in the order of `seq`. */
export interface OperationOutput {
  seq: number;
  step: string;
  text: string;
}
