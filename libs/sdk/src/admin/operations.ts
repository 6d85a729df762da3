import type { Operation, OperationOutput } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { eventStream } from '../sse/event-stream.ts';

/** What {@link Operations.follow} tells: that the operation has changed, or what a step has shown. */
export type OperationChange =
  | { kind: 'progress'; operation: Operation }
  | { kind: 'output'; output: OperationOutput };

/** What is being done, or was done, with a node or a service. */
export class Operations {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws NotFoundError, PermissionError */
  get(operationId: string, { signal }: CallOptions = {}): Promise<Operation> {
    const path = requestPath('v1', 'admin', 'operations', operationId);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /** Ends an operation before its next step. @throws ConflictError where it has ended, NotFoundError, PermissionError */
  cancel(operationId: string, { signal }: CallOptions = {}): Promise<Operation> {
    const path = requestPath('v1', 'admin', 'operations', operationId, 'cancel');
    return this.#transport.json({ method: 'POST', path, repeatable: true, signal });
  }

  /** The operation each time it has changed, until it has ended. @throws NotFoundError, PermissionError */
  async *watch(operationId: string, options: CallOptions = {}): AsyncGenerator<Operation, void, undefined> {
    for await (const change of this.follow(operationId, options))
      if (change.kind === 'progress') yield change.operation;
  }

  /**
   * What happens to an operation and what its steps show, until it has ended. Reconnects; no output is lost or doubled.
   * @throws NotFoundError, PermissionError
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
        const operation = JSON.parse(data) as Operation;
        if (operation.version <= version) continue;
        version = operation.version;
        yield { kind: 'progress', operation };
      }
    }
  }
}
