import type { Board, BoardNetwork, Operation, BoardSignIn, BoardStorage, Enrolment } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { type BeginOptions, beginOperation, givenOf } from './begin-operation.ts';
import { type OperationChange, Operations } from './operations.ts';

export interface ApplyOptions extends CallOptions {
  /** A new way to sign in: after a wrong password, or where the board was installed anew. */
  signIn?: BoardSignIn | undefined;
  /** Where the board is to be found now. */
  address?: string | undefined;
  network?: BoardNetwork | null | undefined;
  storage?: BoardStorage | null | undefined;
  /** Take another board under the same name: with `signIn`, unless the old card is in it. */
  replace?: boolean | undefined;
}

export interface EnrollOptions extends CallOptions {
  /** Only look, and tell what would be done: nothing is enrolled. Default: false. */
  dryRun?: boolean | undefined;
}

export interface OperateOptions extends CallOptions {
  /** Why; Slurm shows it at a drained node. */
  reason?: string | undefined;
  /** Not to wait for jobs; to decommission, not to need the board either. Default: false. */
  force?: boolean | undefined;
}

/** Boards of the cluster: enrolling them, and keeping them as they are to be. For admins. */
export class Boards {
  readonly #transport: Transport;
  readonly #operations: Operations;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#operations = new Operations(transport);
  }

  /**
   * Begins to enrol a board.
   * @returns the operation, to be watched
   * @throws ConflictError where the name or the address is another board's
   */
  enroll(enrolment: Enrolment, { dryRun = false, signal }: EnrollOptions = {}): Promise<Operation> {
    return this.#begin([], { body: enrolment, query: dryRun ? { dryRun } : {}, signal });
  }

  /** Looks whether a board is as it is to be, and changes nothing. @throws ConflictError, NotFoundError */
  check(name: string, { signal }: CallOptions = {}): Promise<Operation> {
    return this.#begin([name, 'check'], { signal });
  }

  /** Applies what differs. @throws ConflictError where something is being done already, NotFoundError */
  apply(name: string, { signal, ...changes }: ApplyOptions = {}): Promise<Operation> {
    return this.#begin([name, 'apply'], { body: givenOf(changes), signal });
  }

  /** Lets no more jobs start on a node; those that run go on. @throws ConflictError, NotFoundError */
  drain(name: string, options: OperateOptions = {}): Promise<Operation> {
    return this.#operate(name, 'drain', options);
  }

  /** Puts a node into service again. @throws ConflictError, NotFoundError */
  resume(name: string, options: OperateOptions = {}): Promise<Operation> {
    return this.#operate(name, 'resume', options);
  }

  /** Drains a board, restarts it once its jobs have ended, and resumes it. @throws ConflictError, NotFoundError */
  reboot(name: string, options: OperateOptions = {}): Promise<Operation> {
    return this.#operate(name, 'reboot', options);
  }

  /** Drains a board, upgrades its packages once its jobs have ended, and resumes it. @throws ConflictError, NotFoundError */
  upgrade(name: string, options: OperateOptions = {}): Promise<Operation> {
    return this.#operate(name, 'upgrade', options);
  }

  /** Drains a board, takes it out of the cluster once its jobs have ended, and forgets it. @throws ConflictError, NotFoundError */
  decommission(name: string, options: OperateOptions = {}): Promise<Operation> {
    return this.#operate(name, 'decommission', options);
  }

  async list({ signal }: CallOptions = {}): Promise<Board[]> {
    const request = { method: 'GET', path: '/v1/admin/nodes', repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: Board[] }>(request)).items;
  }

  /** @throws NotFoundError */
  get(name: string, { signal }: CallOptions = {}): Promise<Board> {
    const path = requestPath('v1', 'admin', 'nodes', name);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /** What was done with a board, newest first. @throws NotFoundError */
  async operations(name: string, { signal }: CallOptions = {}): Promise<Operation[]> {
    const path = requestPath('v1', 'admin', 'nodes', name, 'operations');
    const request = { method: 'GET', path, repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: Operation[] }>(request)).items;
  }

  /** Ends an operation before its next step. @throws ConflictError where it has ended, NotFoundError */
  cancel(operationId: string, options: CallOptions = {}): Promise<Operation> {
    return this.#operations.cancel(operationId, options);
  }

  /** Forgets a board; nothing is sent to it. @throws ConflictError, NotFoundError */
  async forget(name: string, { signal }: CallOptions = {}): Promise<void> {
    const path = requestPath('v1', 'admin', 'nodes', name);
    await this.#transport.nothing({ method: 'DELETE', path, repeatable: false, signal });
  }

  /** The operation each time it has changed, until it has ended. @throws NotFoundError */
  watch(operationId: string, options: CallOptions = {}): AsyncGenerator<Operation, void, undefined> {
    return this.#operations.watch(operationId, options);
  }

  /**
   * What happens to an operation and what its steps show, until it has ended. Reconnects; no output is lost or doubled.
   * @throws NotFoundError
   */
  follow(operationId: string, options: CallOptions = {}): AsyncGenerator<OperationChange, void, undefined> {
    return this.#operations.follow(operationId, options);
  }

  #operate(name: string, verb: string, { signal, ...said }: OperateOptions): Promise<Operation> {
    return this.#begin([name, verb], { body: givenOf(said), signal });
  }

  #begin(segments: readonly string[], options: BeginOptions): Promise<Operation> {
    return beginOperation(this.#transport, ['v1', 'admin', 'nodes', ...segments], options);
  }
}
