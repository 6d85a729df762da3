import type { Board, BoardPatch } from './board.ts';
import type { Operation, OperationOutput, OperationPatch } from './operation.ts';

/** What is known of an operation before it is stored. */
export type NewOperation = Pick<
  Operation,
  'id' | 'node' | 'boardId' | 'kind' | 'parameters' | 'steps' | 'createdAt'
>;

/** Boards and what is done with them, in the database, which is the truth about them. */
export interface BoardStore {
  /**
   * Stores a board together with its first operation, in one transaction. Any number of trials may share a name and an
   * address with each other and with a board.
   * @returns which field is another board's already, or nothing where it was stored
   */
  insert(board: Board, operation: NewOperation): Promise<{ taken: 'name' | 'address' } | undefined>;
  find(id: string): Promise<Board | undefined>;
  /** No trial. */
  findByName(name: string): Promise<Board | undefined>;
  /** In order of name, without trials. */
  list(): Promise<Board[]>;
  /**
   * Compare-and-set.
   * @returns the board as it is now, or undefined where somebody else changed it first
   */
  change(board: Board, patch: BoardPatch): Promise<Board | undefined>;

  /**
   * Forgets a board; what was done with it stays under its name.
   * @param options.during the operation that may be under way
   * @returns false where another operation is under way, or the board is not there
   */
  remove(id: string, options?: { during?: string }): Promise<boolean>;
  /** Forgets trials that were made before, with their operations. */
  removeTrials(before: Date): Promise<void>;

  /** Forgets operations that have ended before, except for the newest ones of each node. */
  removeOperations(before: Date, keep: number): Promise<void>;

  /** @returns undefined where an operation is under way for the node already */
  begin(operation: NewOperation): Promise<Operation | undefined>;
  findOperation(id: string): Promise<Operation | undefined>;
  /** Of one node, newest first, without those of trials. */
  operationsOf(node: string, limit: number): Promise<Operation[]>;
  /**
   * Compare-and-set.
   * @returns the operation as it is now, or undefined where somebody else changed it first
   */
  changeOperation(operation: Operation, patch: OperationPatch): Promise<Operation | undefined>;
  /** Operations whose `lookAt` has come, the longest waiting first, each put off. */
  takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]>;
  /** Adds to what a step has shown; what goes beyond 10,000 pieces of an operation is dropped. */
  say(operationId: string, step: string, text: string): Promise<void>;
  outputAfter(operationId: string, seq: number, limit: number): Promise<OperationOutput[]>;
  /** Sets when an operation that is not over is to be looked at again. Not a change: no version. */
  putOffOperation(id: string, until: Date): Promise<void>;
}
