import type { NodeList, ObservedNode } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export class Nodes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws ServerError `not_ready` where Slurm has not answered yet since Bramble was set up */
  list({ signal }: CallOptions = {}): Promise<NodeList> {
    return this.#transport.json({ method: 'GET', path: '/v1/nodes', repeatable: true, signal });
  }

  /** @throws NotFoundError */
  get(name: string, { signal }: CallOptions = {}): Promise<ObservedNode> {
    const path = requestPath('v1', 'nodes', name);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }
}
