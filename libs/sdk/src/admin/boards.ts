import type {
  Board,
  BoardNetwork,
  BoardOperation,
  BoardSignIn,
  BoardStorage,
  Enrolment,
  OperationOutput,
} from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { eventStream } from '../sse/event-stream.ts';

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

/** What {@link Boards.follow} tells: that the operation has changed, or what a step has shown. */
export type OperationChange =
  { kind: 'progress'; operation: BoardOperation } | { kind: 'output'; output: OperationOutput };

/** Boards of the cluster: enrolling them, and keeping them as they are to be. For admins. */
export class Boards {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Begins to enrol a board.
   * @returns the operation, to be watched
   * @throws ConflictError where the name or the address is another board's
   */
  enroll(enrolment: Enrolment, { dryRun = false, signal }: EnrollOptions = {}): Promise<BoardOperation> {
    return this.#begin(['v1', 'admin', 'nodes'], enrolment, signal, dryRun ? { dryRun: 'true' } : {});
  }

  /** Looks whether a board is as it is to be, and changes nothing. @throws ConflictError, NotFoundError */
  check(name: string, { signal }: CallOptions = {}): Promise<BoardOperation> {
    return this.#begin(['v1', 'admin', 'nodes', name, 'check'], undefined, signal);
  }

  /** Applies what differs. @throws ConflictError where something is being done already, NotFoundError */
  apply(name: string, { signal, ...changes }: ApplyOptions = {}): Promise<BoardOperation> {
    const isEmpty = Object.values(changes).every((value) => value === undefined);
    return this.#begin(['v1', 'admin', 'nodes', name, 'apply'], isEmpty ? undefined : changes, signal);
  }

  /** Lets no more jobs start on a node; those that run go on. @throws ConflictError, NotFoundError */
  drain(name: string, options: OperateOptions = {}): Promise<BoardOperation> {
    return this.#operate(name, 'drain', options);
  }

  /** Puts a node into service again. @throws ConflictError, NotFoundError */
  resume(name: string, options: OperateOptions = {}): Promise<BoardOperation> {
    return this.#operate(name, 'resume', options);
  }

  /** Drains a board, restarts it once its jobs have ended, and resumes it. @throws ConflictError, NotFoundError */
  reboot(name: string, options: OperateOptions = {}): Promise<BoardOperation> {
    return this.#operate(name, 'reboot', options);
  }

  /** Drains a board, upgrades its packages once its jobs have ended, and resumes it. @throws ConflictError, NotFoundError */
  upgrade(name: string, options: OperateOptions = {}): Promise<BoardOperation> {
    return this.#operate(name, 'upgrade', options);
  }

  /** Drains a board, takes it out of the cluster once its jobs have ended, and forgets it. @throws ConflictError, NotFoundError */
  decommission(name: string, options: OperateOptions = {}): Promise<BoardOperation> {
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
  async operations(name: string, { signal }: CallOptions = {}): Promise<BoardOperation[]> {
    const path = requestPath('v1', 'admin', 'nodes', name, 'operations');
    const request = { method: 'GET', path, repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: BoardOperation[] }>(request)).items;
  }

  /** Ends an operation before its next step. @throws ConflictError where it has ended, NotFoundError */
  cancel(operationId: string, { signal }: CallOptions = {}): Promise<BoardOperation> {
    const path = requestPath('v1', 'admin', 'operations', operationId, 'cancel');
    return this.#transport.json({ method: 'POST', path, repeatable: true, signal });
  }

  /** Forgets a board; nothing is sent to it. @throws ConflictError, NotFoundError */
  async forget(name: string, { signal }: CallOptions = {}): Promise<void> {
    const path = requestPath('v1', 'admin', 'nodes', name);
    await this.#transport.nothing({ method: 'DELETE', path, repeatable: false, signal });
  }

  /** The operation each time it has changed, until it has ended. @throws NotFoundError */
  async *watch(
    operationId: string,
    options: CallOptions = {},
  ): AsyncGenerator<BoardOperation, void, undefined> {
    for await (const change of this.follow(operationId, options))
      if (change.kind === 'progress') yield change.operation;
  }

  /**
   * What happens to an operation and what its steps show, until it has ended. Reconnects; no output is lost or doubled.
   * @throws NotFoundError
   */
  async *follow(
    operationId: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<OperationChange, void, undefined> {
    const path = requestPath('v1', 'admin', 'operations', operationId, 'output');
    let after = 0;
    let version = 0;
    for await (const item of eventStream(this.#transport, { path, query: () => ({ after }), signal })) {
      if (item.kind === 'closed') continue;
      const { event, data } = item.event;
      if (event === 'end') return;
      if (event === 'output') {
        const output = JSON.parse(data) as OperationOutput;
        if (output.seq <= after) continue;
        after = output.seq;
        yield { kind: 'output', output };
      } else if (event === 'progress') {
        const operation = JSON.parse(data) as BoardOperation;
        if (operation.version <= version) continue;
        version = operation.version;
        yield { kind: 'progress', operation };
      }
    }
  }

  #operate(name: string, verb: string, { reason, force, signal }: OperateOptions): Promise<BoardOperation> {
    const body = reason === undefined && force === undefined ? undefined : { reason, force };
    return this.#begin(['v1', 'admin', 'nodes', name, verb], body, signal);
  }

  #begin(
    segments: readonly string[],
    body: unknown,
    signal: AbortSignal | undefined,
    query: Record<string, string> = {},
  ): Promise<BoardOperation> {
    return this.#transport.json({
      method: 'POST',
      path: requestPath(...segments),
      query,
      ...(body === undefined
        ? {}
        : { headers: { 'Content-Type': 'application/json' }, body: () => JSON.stringify(body) }),
      repeatable: false,
      signal,
    });
  }
}
