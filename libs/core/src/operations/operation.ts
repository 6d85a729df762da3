import type { Reason } from '../jobs/job.ts';

/**
 * What is done with a node: `enrol` makes a board what it is to be, `check` only looks, `plan` looks at a board that is
 * not enrolled. `drain` and `resume` concern Slurm alone, also for nodes that are no boards of Bramble's. `hosts` tells a
 * board of others that have come, moved or gone.
 */
export const NODE_OPERATION_KINDS = [
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
export type NodeOperationKind = (typeof NODE_OPERATION_KINDS)[number];

/**
 * What is done with a service: `plan` tells what `install` or `upgrade` would change, `check` what differs from what was
 * installed. `recover` mends what a killed process has left half-way. `mirror` copies the images that the cluster runs
 * into the registry.
 */
export const SERVICE_OPERATION_KINDS = [
  'install',
  'upgrade',
  'plan',
  'check',
  'rollback',
  'uninstall',
  'recover',
  'mirror',
] as const;
export type ServiceOperationKind = (typeof SERVICE_OPERATION_KINDS)[number];

/** What an admin says of an operation on a node. */
export interface NodeOperationParameters {
  /** Why it is done; Slurm shows it at a drained node. */
  reason: string | null;
  /** Not to wait for jobs, and not to need the board. */
  force: boolean;
}

/** What an admin says of an operation on a service. */
export interface ServiceOperationParameters {
  /** Why it is done; the history of the release shows it. */
  reason: string | null;
  /** Whether fields that others own are taken over, and services that depend on each other may be alone. */
  force: boolean;
  /** Whether what failed is left as it is, for somebody to look at. */
  keepFailed: boolean;
  /** Of the service, to roll back to; null is the one before. */
  revision: number | null;
  /** Settings and values that it is to have, sealed: secrets are among them. null where they stay as they are. */
  sealedWanted: string | null;
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

interface OperationFields {
  id: string;
  /** Grows by one with every change: what a compare-and-set compares. */
  version: number;
  /** Name of the node or of the service. */
  subject: string;
  /** null where it is about no board, or about one that is none any more. */
  boardId: string | null;
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

export interface NodeOperation extends OperationFields {
  about: 'node';
  kind: NodeOperationKind;
  parameters: NodeOperationParameters;
}

export interface ServiceOperation extends OperationFields {
  about: 'service';
  kind: ServiceOperationKind;
  parameters: ServiceOperationParameters;
}

/** Work on one node or service, watched step by step. At most one that changes something is under way for a subject. */
export type Operation = NodeOperation | ServiceOperation;

/** What operations are about. */
export const SUBJECT_KINDS = ['node', 'service'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];
export type OperationAbout<About extends SubjectKind> = Extract<Operation, { about: About }>;

export type OperationPatch = Partial<
  Omit<OperationFields, 'id' | 'version' | 'subject' | 'boardId' | 'createdAt'>
>;

/** Text that a step has shown, in the order of `seq`. */
export interface OperationOutput {
  seq: number;
  step: string;
  text: string;
}
