import type { Board } from '../board.ts';
import type { NodeOperation, NodeOperationKind } from '../../operations/operation.ts';
import type { BoardHealth } from './board-health.ts';

/** A board, how it is, and whether something is being done with it. */
export interface KnownBoard {
  board: Board;
  /** null before the first look. */
  health: BoardHealth | null;
  /** Whether an operation is under way. */
  busy: boolean;
}

/** What tells whether a board is as it is to be. */
export const LOOKS = ['enrol', 'check'] as const;

/** What the database knows of all boards at once. */
export interface BoardInventory {
  /** In order of name, without trials. */
  list(): Promise<KnownBoard[]>;
  /** Of each board the last operation of these kinds that has ended, by the board's id. */
  lastEnded(kinds: readonly NodeOperationKind[]): Promise<Map<string, NodeOperation>>;
  /** Keeps how a board is; nothing where the board is forgotten meanwhile. */
  recordHealth(health: BoardHealth): Promise<void>;
}
