import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardStore, NewOperation } from '#core/nodes/board-store';
import { isOver, type Operation, type OperationOutput, type OperationPatch } from '#core/nodes/operation';

/** Boards in memory. What is given out and taken in is copied, as a database would. */
export class MemoryBoardStore implements BoardStore {
  readonly #boards = new Map<string, Board>();
  readonly #operations = new Map<string, Operation>();
  readonly #output = new Map<string, OperationOutput[]>();

  async insert(board: Board, operation: NewOperation): Promise<{ taken: 'name' | 'address' } | undefined> {
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
    if (name === undefined || this.#isUnderWay(name, during)) return false;
    this.#boards.delete(id);
    for (const operation of this.#operations.values()) if (operation.boardId === id) operation.boardId = null;
    return true;
  }

  async removeTrials(before: Date): Promise<void> {
    for (const { id, trial, createdAt } of this.#boards.values()) {
      if (!trial || createdAt >= before) continue;
      this.#boards.delete(id);
      for (const operation of this.#operations.values())
        if (operation.boardId === id) this.#operations.delete(operation.id);
    }
  }

  async removeOperations(before: Date, keep: number): Promise<void> {
    const nodes = new Set([...this.#operations.values()].map(({ node }) => node));
    for (const node of nodes) {
      for (const { id, endedAt } of (await this.operationsOf(node, Infinity)).slice(keep))
        if (endedAt !== null && endedAt < before) this.#operations.delete(id);
    }
  }

  #isUnderWay(node: string, except?: string): boolean {
    return [...this.#operations.values()].some(
      (operation) =>
        operation.node === node &&
        operation.id !== except &&
        operation.kind !== 'plan' &&
        !isOver(operation.state),
    );
  }

  async begin(operation: NewOperation): Promise<Operation | undefined> {
    const underWay = operation.kind !== 'plan' && this.#isUnderWay(operation.node);
    if (underWay) return undefined;
    const begun: Operation = {
      ...structuredClone(operation),
      version: 1,
      notes: {},
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

  async operationsOf(node: string, limit: number): Promise<Operation[]> {
    const operations = [...this.#operations.values()]
      .filter((operation) => operation.node === node && operation.kind !== 'plan')
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

  async say(operationId: string, step: string, text: string): Promise<void> {
    const output = this.#output.get(operationId) ?? [];
    this.#output.set(operationId, [...output, { seq: output.length + 1, step, text }]);
  }

  async outputAfter(operationId: string, seq: number, limit: number): Promise<OperationOutput[]> {
    return (this.#output.get(operationId) ?? []).slice(seq, seq + limit);
  }

  async putOffOperation(id: string, until: Date): Promise<void> {
    const operation = this.#operations.get(id);
    if (operation !== undefined && !isOver(operation.state)) operation.lookAt = new Date(until);
  }
}
