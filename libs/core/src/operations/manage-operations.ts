import type { Clock } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import { isOver, type Operation } from './operation.ts';
import type { OperationQueue } from './operation-queue.ts';
import { type OperationResource, toOperationResource } from './operation-resource.ts';
import type { NewOperation, OperationStore } from './operation-store.ts';

export interface ManageOperationsPorts {
  operations: OperationStore;
  queue: OperationQueue;
  clock: Clock;
}

/** What admins do with operations, whatever they are about. */
export class ManageOperations {
  readonly #ports: ManageOperationsPorts;

  constructor(ports: ManageOperationsPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `operation_under_way` where something is being done with the subject already */
  async begin<One extends Operation>(operation: NewOperation<One>): Promise<OperationResource> {
    const begun = await this.#ports.operations.begin<One>(operation);
    if (begun === undefined) throw underWay(operation.subject);
    await this.nudge(begun.id);
    return toOperationResource(begun);
  }

  /** @throws Problem `not_found` */
  async get(id: string): Promise<OperationResource> {
    return toOperationResource(await this.#find(id));
  }

  /** Asking twice is asking once. @throws Problem `not_found`, or `operation_finished` */
  async cancel(id: string): Promise<OperationResource> {
    const { operations, clock } = this.#ports;
    for (;;) {
      const operation = await this.#find(id);
      if (isOver(operation.state)) {
        throw new Problem('operation_finished', `It has ended already: it is ${operation.state}.`);
      }
      if (operation.cancelRequestedAt !== null) return toOperationResource(operation);
      const now = clock.now();
      const asked = await operations.changeOperation(operation, { cancelRequestedAt: now, lookAt: now });
      if (asked === undefined) continue;
      await this.nudge(id);
      return toOperationResource(asked);
    }
  }

  /** Tells a worker. The operation's `lookAt` brings it to one even where this is lost. */
  async nudge(id: string): Promise<void> {
    await this.#ports.queue.add(id).catch(() => {});
  }

  async #find(id: string): Promise<Operation> {
    const operation = await this.#ports.operations.findOperation(id);
    if (operation === undefined) throw notFound('operation', id);
    return operation;
  }
}

export const underWay = (subject: string): Problem =>
  new Problem(
    'operation_under_way',
    `Something is being done with "${subject}" already; wait for its end, or cancel it.`,
  );
