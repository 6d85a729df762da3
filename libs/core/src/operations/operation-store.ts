import type { Operation, OperationAbout, OperationOutput, OperationPatch, SubjectKind } from './operation.ts';

type Known = 'id' | 'about' | 'subject' | 'boardId' | 'kind' | 'parameters' | 'steps' | 'createdAt';

/** What is known of an operation before it is stored. */
export type NewOperation<One extends Operation = Operation> = One extends Operation
  ? Pick<One, Known>
  : never;

/** An operation at its very beginning. */
export function begunOperation<One extends Operation>(operation: NewOperation<One>): One {
  const begun = {
    ...operation,
    version: 1,
    notes: {},
    state: 'waiting',
    reason: null,
    cancelRequestedAt: null,
    lookAt: operation.createdAt,
    startedAt: null,
    endedAt: null,
  };
  // What TypeScript does not see: a new operation and these fields are all that there is to one.
  return begun as unknown as One;
}

/** Operations, in the database, which is the truth about them. */
export interface OperationStore {
  /**
   * Any number of plans may be under way for a subject, beside one operation that changes something.
   * @returns undefined where an operation is under way for the subject already
   */
  begin<One extends Operation>(operation: NewOperation<One>): Promise<One | undefined>;
  findOperation(id: string): Promise<Operation | undefined>;
  /** Of one node or service, newest first, without plans. */
  operationsOf<About extends SubjectKind>(
    about: About,
    subject: string,
    limit: number,
  ): Promise<OperationAbout<About>[]>;
  /**
   * Compare-and-set.
   * @returns the operation as it is now, or undefined where somebody else changed it first
   */
  changeOperation<One extends Operation>(operation: One, patch: OperationPatch): Promise<One | undefined>;
  /** Operations whose `lookAt` has come, the longest waiting first, each put off. */
  takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]>;
  /** Sets when an operation that is not over is to be looked at again. Not a change: no version. */
  putOffOperation(id: string, until: Date): Promise<void>;
  /** Adds to what a step has shown; what goes beyond 10,000 pieces of an operation is dropped. */
  say(operationId: string, step: string, text: string): Promise<void>;
  outputAfter(operationId: string, seq: number, limit: number): Promise<OperationOutput[]>;
  /** Forgets operations that have ended before, except for the newest ones of each subject; plans are among neither. */
  removeOperations(before: Date, keep: number): Promise<void>;
  /** Forgets plans that have ended before. */
  removePlans(before: Date): Promise<void>;
}
