import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { Board } from './board.ts';
import {
  type BoardResource,
  type OperationResource,
  toBoardResource,
  toOperationResource,
} from './board-resource.ts';
import type { BoardStep } from './board-step.ts';
import type { BoardStore } from './board-store.ts';
import type { ApplyRequest, EnrolmentRequest } from './enrolment-request.ts';
import { isOver, type Operation, type OperationKind } from './operation.ts';
import type { OperationQueue } from './operation-queue.ts';
import { stepsFor } from './run-operation.ts';
import { sealSignIn } from './sealed-sign-in.ts';
import type { SecretBox } from './secret-box.ts';

export interface ManageBoardsPorts {
  boards: BoardStore;
  queue: OperationQueue;
  secrets: SecretBox;
  ids: IdGenerator;
  clock: Clock;
  steps: readonly BoardStep[];
}

const SHOWN_OPERATIONS = 50;

/** What admins do with boards. The boards themselves are a worker's business. */
export class ManageBoards {
  readonly #ports: ManageBoardsPorts;

  constructor(ports: ManageBoardsPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `name_taken` where the name or the address is another board's */
  async enrol(request: EnrolmentRequest): Promise<OperationResource> {
    const { boards, ids, clock, secrets, steps } = this.#ports;
    const id = ids.next('brd');
    const board: Board = {
      id,
      version: 1,
      name: request.name,
      address: request.address,
      roles: request.roles,
      labels: request.labels,
      ...signInFields(id, request.signIn, secrets),
      facts: null,
      factsAt: null,
      createdAt: clock.now(),
    };
    const operation = this.#operation(board, 'enrol', ids.next('op'), stepsFor(board, steps));
    const refused = await boards.insert(board, operation);
    if (refused !== undefined) {
      throw new Problem('name_taken', `Another board has this ${refused.taken} already.`, {
        faults: [{ field: refused.taken, message: 'is taken' }],
      });
    }
    await this.#nudge(operation.id);
    return this.operation(operation.id);
  }

  /**
   * @param request.signIn a new way to sign in, where the one of before does not do
   * @throws Problem `not_found`, or `operation_under_way`
   */
  async begin(name: string, kind: OperationKind, { signIn }: ApplyRequest = {}): Promise<OperationResource> {
    const { boards, ids, secrets, steps } = this.#ports;
    const board = await this.#find(name);
    if (signIn !== undefined) {
      const [latest] = await boards.operationsOf(board.id, 1);
      const changed =
        latest !== undefined && !isOver(latest.state)
          ? undefined
          : await boards.change(board, signInFields(board.id, signIn, secrets));
      if (changed === undefined) throw underWay(name);
    }
    const begun = await boards.begin(this.#operation(board, kind, ids.next('op'), stepsFor(board, steps)));
    if (begun === undefined) throw underWay(name);
    await this.#nudge(begun.id);
    return toOperationResource(begun, name);
  }

  /** Asking twice is asking once. @throws Problem `not_found`, or `operation_finished` */
  async cancel(operationId: string): Promise<OperationResource> {
    const { boards, clock } = this.#ports;
    for (;;) {
      const operation = await this.#findOperation(operationId);
      if (isOver(operation.state)) {
        throw new Problem('operation_finished', `It has ended already: it is ${operation.state}.`);
      }
      if (operation.cancelRequestedAt !== null) return this.operation(operationId);
      const now = clock.now();
      if ((await boards.changeOperation(operation, { cancelRequestedAt: now, lookAt: now })) === undefined)
        continue;
      await this.#nudge(operationId);
      return this.operation(operationId);
    }
  }

  /**
   * Forgets a board: nothing is sent to it, and its name and address are free again.
   * @throws Problem `not_found`, or `operation_under_way`
   */
  async forget(name: string): Promise<void> {
    const { id } = await this.#find(name);
    if (!(await this.#ports.boards.remove(id))) throw underWay(name);
  }

  /** @throws Problem `not_found` */
  async board(name: string): Promise<BoardResource> {
    return toBoardResource(await this.#find(name));
  }

  async list(): Promise<BoardResource[]> {
    return (await this.#ports.boards.list()).map(toBoardResource);
  }

  /** @throws Problem `not_found` */
  async operation(id: string): Promise<OperationResource> {
    const operation = await this.#findOperation(id);
    const board = await this.#ports.boards.find(operation.boardId);
    return toOperationResource(operation, board?.name ?? '');
  }

  /** Newest first. @throws Problem `not_found` */
  async operationsOf(name: string): Promise<OperationResource[]> {
    const { id } = await this.#find(name);
    const operations = await this.#ports.boards.operationsOf(id, SHOWN_OPERATIONS);
    return operations.map((operation) => toOperationResource(operation, name));
  }

  #operation(board: Board, kind: OperationKind, id: string, steps: Operation['steps']) {
    return { id, boardId: board.id, kind, steps, createdAt: this.#ports.clock.now() };
  }

  /** The operation's `lookAt` brings it to a worker even where this is lost. */
  async #nudge(operationId: string): Promise<void> {
    await this.#ports.queue.add(operationId).catch(() => {});
  }

  async #find(name: string): Promise<Board> {
    const board = await this.#ports.boards.findByName(name);
    if (board === undefined) throw notFound('board', name);
    return board;
  }

  async #findOperation(id: string): Promise<Operation> {
    const operation = await this.#ports.boards.findOperation(id);
    if (operation === undefined) throw notFound('operation', id);
    return operation;
  }
}

function signInFields(boardId: string, signIn: EnrolmentRequest['signIn'], secrets: SecretBox) {
  const { user, port, password, privateKey, sudoPassword, hostKey } = signIn;
  const secret = privateKey === undefined ? { password: password ?? '' } : { privateKey };
  return {
    sshPort: port,
    signInUser: user,
    hostKeySha256: hostKey ?? null,
    sealedSignIn: sealSignIn(boardId, { secret, sudoPassword: sudoPassword ?? password ?? null }, secrets),
    sealedSudoPassword: null,
  };
}

const underWay = (name: string): Problem =>
  new Problem(
    'operation_under_way',
    `Something is being done with "${name}" already; wait for its end, or cancel it.`,
  );
