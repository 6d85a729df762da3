import { Problem } from '../../vocabulary/problem.ts';
import type { Clock } from '../../vocabulary/clock.ts';
import type { ManageBoards } from '../manage-boards.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import { type BoardInventory, type KnownBoard, LOOKS } from './board-inventory.ts';

export interface CheckBoardsPorts {
  inventory: BoardInventory;
  manage: Pick<ManageBoards, 'begin'>;
  clock: Clock;
  /** How old the last look at a board may become. */
  everyMs: number;
}

/** Looks again and again whether boards are as they are to be. */
export class CheckBoards {
  readonly #ports: CheckBoardsPorts;

  constructor(ports: CheckBoardsPorts) {
    this.#ports = ports;
  }

  /**
   * Begins to check the board whose last look is the oldest, where that is old enough. One at a time, so that checks
   * are spread.
   * @returns the name of the board
   */
  async run(): Promise<string | undefined> {
    const { inventory, manage, clock, everyMs } = this.#ports;
    const lastLooks = await inventory.lastEnded(LOOKS);
    const due = boardToCheck(await inventory.list(), lastLooks, clock.now().getTime() - everyMs);
    if (due === undefined) return undefined;
    try {
      await manage.begin(due, 'check');
      return due;
    } catch (error) {
      // An admin was faster: something is being done with it, or it is forgotten.
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }
}

/** @param beforeMs a look that ended later is new enough */
function boardToCheck(
  boards: readonly KnownBoard[],
  lastLooks: ReadonlyMap<string, NodeOperation>,
  beforeMs: number,
): string | undefined {
  const [oldest] = boards
    .filter(isAnswering)
    .map(({ board }) => ({
      name: board.name,
      lookedAtMs: (lastLooks.get(board.id)?.endedAt ?? board.createdAt).getTime(),
    }))
    .filter(({ lookedAtMs }) => lookedAtMs <= beforeMs)
    .sort((a, b) => a.lookedAtMs - b.lookedAtMs);
  return oldest?.name;
}

/** A check of a board that is away would only fail. */
const isAnswering = ({ board, health, busy }: KnownBoard): boolean =>
  !busy && board.sealedSignIn === null && (health === null || health.failures === 0);
