import type { Board, BoardOperation, BoardSignIn, Enrolment } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { pause } from '../http/pause.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

const LOOK_AGAIN_MS = 500;

export interface ApplyOptions extends CallOptions {
  /** A new way to sign in: after a wrong password, or where the board was installed anew. */
  signIn?: BoardSignIn | undefined;
}

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
  enroll(enrolment: Enrolment, { signal }: CallOptions = {}): Promise<BoardOperation> {
    return this.#begin('/v1/admin/nodes', enrolment, signal);
  }

  /** Looks whether a board is as it is to be, and changes nothing. @throws ConflictError, NotFoundError */
  check(name: string, { signal }: CallOptions = {}): Promise<BoardOperation> {
    return this.#begin(requestPath('v1', 'admin', 'nodes', name, 'check'), undefined, signal);
  }

  /** Applies what differs. @throws ConflictError where something is being done already, NotFoundError */
  apply(name: string, { signIn, signal }: ApplyOptions = {}): Promise<BoardOperation> {
    const body = signIn === undefined ? undefined : { signIn };
    return this.#begin(requestPath('v1', 'admin', 'nodes', name, 'apply'), body, signal);
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
    { signal }: CallOptions = {},
  ): AsyncGenerator<BoardOperation, void, undefined> {
    const path = requestPath('v1', 'admin', 'operations', operationId);
    let version = 0;
    for (;;) {
      const operation = await this.#transport.json<BoardOperation>({
        method: 'GET',
        path,
        repeatable: true,
        maxRetries: this.#transport.settings.maxReconnects,
        signal,
      });
      if (operation.version > version) yield operation;
      if (operation.finished) return;
      version = operation.version;
      await pause(LOOK_AGAIN_MS, signal);
    }
  }

  #begin(path: string, body: unknown, signal: AbortSignal | undefined): Promise<BoardOperation> {
    return this.#transport.json({
      method: 'POST',
      path,
      ...(body === undefined
        ? {}
        : { headers: { 'Content-Type': 'application/json' }, body: () => JSON.stringify(body) }),
      repeatable: false,
      signal,
    });
  }
}
