import type { BoardHealth } from '#core/nodes/inventory/board-health';
import type { BoardInventory, KnownBoard } from '#core/nodes/inventory/board-inventory';
import { isOver, type NodeOperation, type NodeOperationKind } from '#core/operations/operation';
import type { MemoryBoardStore } from './memory-board-store.ts';

const MANY = 1_000;

/** How the boards of a store in memory are. */
export class MemoryBoardInventory implements BoardInventory {
  readonly #boards: MemoryBoardStore;
  readonly #health = new Map<string, BoardHealth>();

  constructor(boards: MemoryBoardStore) {
    this.#boards = boards;
  }

  async list(): Promise<KnownBoard[]> {
    const boards = await this.#boards.list();
    return Promise.all(
      boards.map(async (board) => {
        const operations = await this.#boards.operationsOf('node', board.name, MANY);
        return {
          board,
          health: structuredClone(this.#health.get(board.id) ?? null),
          busy: operations.some(({ state }) => !isOver(state)),
        };
      }),
    );
  }

  async lastEnded(kinds: readonly NodeOperationKind[]): Promise<Map<string, NodeOperation>> {
    const found = new Map<string, NodeOperation>();
    for (const { id, name } of await this.#boards.list()) {
      const operations = await this.#boards.operationsOf('node', name, MANY);
      const last = operations.find(
        ({ boardId, kind, state }) => boardId === id && kinds.includes(kind) && isOver(state),
      );
      if (last !== undefined) found.set(id, last);
    }
    return found;
  }

  async recordHealth(health: BoardHealth): Promise<void> {
    if ((await this.#boards.find(health.boardId)) !== undefined)
      this.#health.set(health.boardId, structuredClone(health));
  }
}
