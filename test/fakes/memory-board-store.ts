import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardStore, NewOperation } from '#core/nodes/board-store';
import { isOver, type Operation, type OperationPatch } from '#core/nodes/operation';

/** Boards in memory. What is given out and taken in is copied, as a database would. */
export class MemoryBoardStore implements BoardStore {
  readonly #boards = new Map<string, Board>();
  readonly #operations = new Map<string, Operation>();

  async insert(board: Board, operation: NewOperation): Promise<{ taken: 'name' | 'address' } | undefined> {
    const others = [...this.#boards.values()];
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
    return structuredClone([...this.#boards.values()].find((board) => board.name === name));
  }

  async list(): Promise<Board[]> {
    const boards = [...this.#boards.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return structuredClone(boards);
  }

  async change(board: Board, patch: BoardPatch): Promise<Board | undefined> {
    const current = this.#boards.get(board.id);
    if (current?.version !== board.version) return undefined;
    const changed = { ...current, ...structuredClone(patch), version: current.version + 1 };
    this.#boards.set(board.id, changed);
    return structuredClone(changed);
  }

  async remove(id: string): Promise<boolean> {
    const operations = [...this.#operations.values()].filter(({ boardId }) => boardId === id);
    if (operations.some(({ state }) => !isOver(state)) || !this.#boards.delete(id)) return false;
    for (const operation of operations) this.#operations.delete(operation.id);
    return true;
  }

  async begin(operation: NewOperation): Promise<Operation | undefined> {
    const underWay = [...this.#operations.values()].some(
      ({ boardId, state }) => boardId === operation.boardId && !isOver(state),
    );
    if (underWay) return undefined;
    const begun: Operation = {
      ...structuredClone(operation),
      version: 1,
      state: 'waiting',
      reason: null,
      cancelRequestedAt: null,
      lookAt: operation.createdAt,
      startedAt: null,
      endedAt: null,
    };
    this.#operations.set(begun.id, begun);
    return structuredClone(begun);
  }

  async findOperation(id: string): Promise<Operation | undefined> {
    return structuredClone(this.#operations.get(id));
  }

  async operationsOf(boardId: string, limit: number): Promise<Operation[]> {
    const operations = [...this.#operations.values()]
      .filter((operation) => operation.boardId === boardId)
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1));
    return structuredClone(operations.slice(0, limit));
  }

  async changeOperation(operation: Operation, patch: OperationPatch): Promise<Operation | undefined> {
    const current = this.#operations.get(operation.id);
    if (current?.version !== operation.version) return undefined;
    const changed = { ...current, ...structuredClone(patch), version: current.version + 1 };
    this.#operations.set(operation.id, changed);
    return structuredClone(changed);
  }

  async takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]> {
    const due = [...this.#operations.values()]
      .filter(({ lookAt }) => lookAt !== null && lookAt <= now)
      .sort((a, b) => (a.lookAt?.getTime() ?? 0) - (b.lookAt?.getTime() ?? 0))
      .slice(0, limit);
    for (const operation of due) operation.lookAt = new Date(putOffUntil);
    return structuredClone(due);
  }

  async putOffOperation(id: string, until: Date): Promise<void> {
    const operation = this.#operations.get(id);
    if (operation !== undefined && !isOver(operation.state)) operation.lookAt = new Date(until);
  }
}
