import type { NodeOperation } from '../operations/operation.ts';
import type { NewOperation, OperationStore } from '../operations/operation-store.ts';
import type { Board, BoardPatch } from './board.ts';

/** Boards and what is done with them, in the database, which is the truth about them. */
export interface BoardStore extends OperationStore {
  /**
   * Stores a board together with its first operation, in one transaction. Any number of trials may share a name and an
   * address with each other and with a board.
   * @returns which field is another board's already, or nothing where it was stored
   */
  insert(
    board: Board,
    operation: NewOperation<NodeOperation>,
  ): Promise<{ taken: 'name' | 'address' } | undefined>;
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
}
