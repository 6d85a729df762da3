import type { NodeEvent, NodeList, ObservedNode } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface NodeEventOptions extends CallOptions {
  /** Only events behind this `seq`. Default 0. */
  after?: number | undefined;
}

/** The machines of the cluster: nodes of Slurm, boards that are enrolled, and what is both. */
export class Nodes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list({ signal }: CallOptions = {}): Promise<NodeList> {
    return this.#transport.json({ method: 'GET', path: '/v1/nodes', repeatable: true, signal });
  }

  /** @throws NotFoundError */
  get(name: string, { signal }: CallOptions = {}): Promise<ObservedNode> {
    const path = requestPath('v1', 'nodes', name);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /** What happened to a node, newest last; also to one that is gone. @throws NotFoundError */
  async events(name: string, { after = 0, signal }: NodeEventOptions = {}): Promise<NodeEvent[]> {
    const path = requestPath('v1', 'nodes', name, 'events');
    const request = { method: 'GET', path, query: { after }, repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: NodeEvent[] }>(request)).items;
  }
}
