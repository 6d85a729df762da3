import {
  isOver,
  type NodeOperation,
  type Operation,
  type OperationAbout,
  type OperationOutput,
  type OperationPatch,
  type SubjectKind,
} from '#core/operations/operation';
import { begunOperation, type NewOperation, type OperationStore } from '#core/operations/operation-store';

/** Operations in memory. What is given out and taken in is copied, as a database would. */
export class MemoryOperationStore implements OperationStore {
  protected readonly operations = new Map<string, Operation>();
  readonly #output = new Map<string, OperationOutput[]>();

  async removeOperations(before: Date, keep: number): Promise<void> {
    for (const { about, subject } of [...this.operations.values()]) {
      for (const { id, endedAt } of (await this.operationsOf(about, subject, Infinity)).slice(keep))
        if (endedAt !== null && endedAt < before) this.operations.delete(id);
    }
  }

  async removePlans(before: Date): Promise<void> {
    for (const { id, kind, endedAt } of [...this.operations.values()])
      if (kind === 'plan' && endedAt !== null && endedAt < before) this.operations.delete(id);
  }

  protected isUnderWay(about: SubjectKind, subject: string, except?: string): boolean {
    return [...this.operations.values()].some(
      (operation) =>
        operation.about === about &&
        operation.subject === subject &&
        operation.id !== except &&
        operation.kind !== 'plan' &&
        !isOver(operation.state),
    );
  }

  async begin<One extends Operation>(operation: NewOperation<One>): Promise<One | undefined> {
    const underWay = operation.kind !== 'plan' && this.isUnderWay(operation.about, operation.subject);
    if (underWay) return undefined;
    const begun = structuredClone(begunOperation<One>(operation));
    this.operations.set(begun.id, begun);
    return structuredClone(begun);
  }

  /** @throws Error where there is none */
  async nodeOperation(id: string): Promise<NodeOperation> {
    const operation = await this.findOperation(id);
    if (operation?.about !== 'node') throw new Error(`there is no operation ${id} on a node`);
    return operation;
  }

  async findOperation(id: string): Promise<Operation | undefined> {
    return structuredClone(this.operations.get(id));
  }

  async operationsOf<About extends SubjectKind>(
    about: About,
    subject: string,
    limit: number,
  ): Promise<OperationAbout<About>[]> {
    const operations = [...this.operations.values()]
      .filter((operation) => operation.about === about && operation.subject === subject)
      .filter(({ kind }) => kind !== 'plan')
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1));
    return structuredClone(operations.slice(0, limit)) as OperationAbout<About>[];
  }

  async changeOperation<One extends Operation>(
    operation: One,
    patch: OperationPatch,
  ): Promise<One | undefined> {
    const current = this.operations.get(operation.id);
    if (current?.version !== operation.version) return undefined;
    const changed = { ...current, ...structuredClone(patch), version: current.version + 1 };
    this.operations.set(operation.id, changed);
    return structuredClone(changed) as One;
  }

  async takeDueOperations(now: Date, putOffUntil: Date, limit: number): Promise<Operation[]> {
    const due = [...this.operations.values()]
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
    const operation = this.operations.get(id);
    if (operation !== undefined && !isOver(operation.state)) operation.lookAt = new Date(until);
  }
}
