import { ManageOperations, underWay } from '../operations/manage-operations.ts';
import {
  isOver,
  type NodeOperation,
  type NodeOperationKind,
  type NodeOperationParameters,
} from '../operations/operation.ts';
import type { OperationQueue } from '../operations/operation-queue.ts';
import { type OperationResource, toOperationResource } from '../operations/operation-resource.ts';
import type { NewOperation } from '../operations/operation-store.ts';
import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { Board, BoardPatch } from './board.ts';
import { type BoardResource, toBoardResource } from './board-resource.ts';
import type { BoardStore } from './board-store.ts';
import type { ApplyRequest, EnrolmentRequest } from './enrolment-request.ts';
import { type Procedures, stepsFor } from './procedures.ts';
import { sealSignIn } from './sealed-sign-in.ts';
import type { SecretBox } from './secret-box.ts';

export interface ManageBoardsPorts {
  boards: BoardStore;
  queue: OperationQueue;
  secrets: SecretBox;
  ids: IdGenerator;
  clock: Clock;
  procedures: Procedures;
}

const SHOWN_OPERATIONS = 50;

/** What admins do with boards. The boards themselves are a worker's business. */
export class ManageBoards {
  readonly #ports: ManageBoardsPorts;
  readonly #operations: ManageOperations;

  constructor(ports: ManageBoardsPorts) {
    this.#ports = ports;
    this.#operations = new ManageOperations({ ...ports, operations: ports.boards });
  }

  /**
   * @param options.dryRun only look at the board, and tell what would be done; nothing there is changed
   * @throws Problem `name_taken` where the name or the address is another board's
   */
  async enrol(request: EnrolmentRequest, { dryRun = false } = {}): Promise<OperationResource> {
    const { boards, ids, clock, secrets } = this.#ports;
    const id = ids.next('brd');
    const board: Board = {
      id,
      version: 1,
      name: request.name,
      address: request.address,
      roles: request.roles,
      labels: request.labels,
      network: request.network,
      storage: request.storage,
      trial: dryRun,
      ...signInFields(id, request.signIn, secrets),
      facts: null,
      factsAt: null,
      createdAt: clock.now(),
    };
    const operation = this.#operation(board.name, board, dryRun ? 'plan' : 'enrol');
    const refused = await boards.insert(board, operation);
    if (refused !== undefined) {
      throw new Problem('name_taken', `Another board has this ${refused.taken} already.`, {
        faults: [{ field: refused.taken, message: 'is taken' }],
      });
    }
    await this.#operations.nudge(operation.id);
    return this.#operations.get(operation.id);
  }

  /**
   * @param request what is to be changed of the board before; what is left out stays
   * @throws Problem `not_found`, `operation_under_way`, or `name_taken` where the address is another board's
   */
  async apply(name: string, request: ApplyRequest = { replace: false }): Promise<OperationResource> {
    const { boards, secrets } = this.#ports;
    const board = await this.#find(name);
    const { signIn, replace, address, network, storage } = request;
    const taken = (await boards.list()).some((other) => other.id !== board.id && other.address === address);
    if (taken) {
      throw new Problem('name_taken', 'Another board has this address already.', {
        faults: [{ field: 'address', message: 'is taken' }],
      });
    }
    const patch: BoardPatch = {
      ...(address === undefined ? {} : { address }),
      ...(network === undefined ? {} : { network }),
      ...(storage === undefined ? {} : { storage }),
      ...(signIn === undefined ? {} : signInFields(board.id, signIn, secrets)),
      ...(replace ? { facts: null, factsAt: null } : {}),
    };
    if (Object.keys(patch).length > 0) {
      const [latest] = await boards.operationsOf('node', name, 1);
      const isBusy = latest !== undefined && !isOver(latest.state);
      if (isBusy || (await boards.change(board, patch)) === undefined) throw underWay(name);
    }
    return this.begin(name, 'enrol');
  }

  /**
   * Begins what needs nothing but a name. Draining and resuming do for nodes of Slurm that are no boards.
   * @throws Problem `not_found`, or `operation_under_way`
   */
  async begin(
    name: string,
    kind: Exclude<NodeOperationKind, 'plan'>,
    parameters: Partial<NodeOperationParameters> = {},
  ): Promise<OperationResource> {
    const { boards } = this.#ports;
    const needsNoBoard = kind === 'drain' || kind === 'resume';
    const board = needsNoBoard ? await boards.findByName(name) : await this.#find(name);
    return this.#operations.begin(this.#operation(name, board, kind, parameters));
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

  /** Newest first. @throws Problem `not_found` */
  async operationsOf(name: string): Promise<OperationResource[]> {
    const operations = await this.#ports.boards.operationsOf('node', name, SHOWN_OPERATIONS);
    if (operations.length === 0) await this.#find(name);
    return operations.map(toOperationResource);
  }

  #operation(
    node: string,
    board: Board | undefined,
    kind: NodeOperationKind,
    { reason = null, force = false }: Partial<NodeOperationParameters> = {},
  ): NewOperation<NodeOperation> {
    const { ids, clock, procedures } = this.#ports;
    const parameters = { reason, force };
    return {
      id: ids.next('op'),
      about: 'node',
      subject: node,
      boardId: board?.id ?? null,
      kind,
      parameters,
      steps: stepsFor({ kind }, board, procedures),
      createdAt: clock.now(),
    };
  }

  async #find(name: string): Promise<Board> {
    const board = await this.#ports.boards.findByName(name);
    if (board === undefined) throw notFound('board', name);
    return board;
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
