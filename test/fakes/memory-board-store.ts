import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardStore } from '#core/nodes/board-store';
import type { NodeOperation } from '#core/operations/operation';
import type { NewOperation } from '#core/operations/operation-store';
import { MemoryOperationStore } from './memory-operation-store.ts';

/** Boards in memory. What is given out and taken in is copied, as a database would. */
export class MemoryBoardStore extends MemoryOperationStore implements BoardStore {
  readonly #boards = new Map<string, Board>();

  async insert(
    board: Board,
    operation: NewOperation<NodeOperation>,
  ): Promise<{ taken: 'name' | 'address' } | undefined> {
    const others = board.trial ? [] : [...this.#boards.values()].filter(({ trial }) => !trial);
    if (others.some(({ name }) => name === board.name)) return { taken: 'name' };
    if (others.some(({ address }) => address === board.address)) return { taken: 'address' };
    this.#boards.set(board.id, structuredClone(board));
    await this.begin(operation);
    return undefined;
  }

  async find(id: string): Promise<Board | undefined> {
    return structuredClone(this.#boards.get(id));
  }

  async findByName(name: string): Promise<Board | undefined> {
    return structuredClone([...this.#boards.values()].find((board) => board.name === name && !board.trial));
  }

  async list(): Promise<Board[]> {
    const boards = [...this.#boards.values()]
      .filter(({ trial }) => !trial)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return structuredClone(boards);
  }

  async change(board: Board, patch: BoardPatch): Promise<Board | undefined> {
    const current = this.#boards.get(board.id);
    if (current?.version !== board.version) return undefined;
    const changed = { ...current, ...structuredClone(patch), version: current.version + 1 };
    this.#boards.set(board.id, changed);
    return structuredClone(changed);
  }

  async remove(id: string, { during }: { during?: string } = {}): Promise<boolean> {
    const name = this.#boards.get(id)?.name;
    if (name === undefined || this.isUnderWay('node', name, during)) return false;
    this.#boards.delete(id);
    for (const operation of this.operations.values()) if (operation.boardId === id) operation.boardId = null;
    return true;
  }

  async removeTrials(before: Date): Promise<void> {
    for (const { id, trial, createdAt } of this.#boards.values()) {
      if (!trial || createdAt >= before) continue;
      this.#boards.delete(id);
      for (const operation of this.operations.values())
        if (operation.boardId === id) this.operations.delete(operation.id);
    }
  }
}
