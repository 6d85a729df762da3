import type { Board, BoardPatch } from './board.ts';
import type { Operation, OperationKind, OperationPatch, StepProgress } from './operation.ts';

/** What is known of an operation before it is stored. */
export interface NewOperation {
  id: string;
  boardId: string;
  kind: OperationKind;
  steps: StepProgress[];
  createdAt: Date;
}

/** Boards and what is done with them, in the database, which is the truth about them. */
export interface BoardStore {
  /**
   * Stores a board together with its first operation, in one transaction.
   * @returns which field is another board's already, or nothing where it was stored
   */
  insert(board: Board, operation: NewOperation): Promise<{ taken: 'name' | 'address' } | undefined>;
  find(id: string): Promise<Board | undefined>;
  findByName(name: string): Promise<Board | undefined>;
  /** In order of name. */
  list(): Promise<Board[]>;
  /**
   * Compare-and-set.
   * @returns the board as it is now, or undefined where somebody else changed it first
   */
  change(board: Board, patch: BoardPatch): Promise<Board | undefined>;

  /**
   * Forgets a board and all that was done with it.
   * @returns false where an operation is under way, or the board is not there
   */
  remove(id: string): Promise<boolean>;

  /** @returns undefined where an operation is under way for the board already */
  begin(operation: NewOperation): Promise<Operation | undefined>;
  findOperation(id: string): Promise<Operation | undefined>;
  /** Of one board, newest first. */
  operationsOf(boardId: string, limit: number): Promise<Operation[]>;
  /**
   * Compare-and-set.
   * @returns the operation as it is now, or undefined where somebody else changed it first
   */
  changeOperation(operation: Operation, patch: OperationPatch): Promise<Operation | undefined>;
  /** Operations whose `lookAt` has come, the longest waiting first, each put off. */
  takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]>;
  /** Sets when an operation that is not over is to be looked at again. Not a change: no version. */
  putOffOperation(id: string, until: Date): Promise<void>;
}
