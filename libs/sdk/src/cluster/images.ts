import type { ClusterImage } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import type { Transport } from '../http/transport.ts';

/** Container images that the Kubernetes cluster runs. */
export class Images {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * In order of reference.
   * @throws ServerError `kubernetes_unavailable` where no cluster is configured, or it does not answer
   */
  async list({ signal }: CallOptions = {}): Promise<ClusterImage[]> {
    const request = { method: 'GET', path: '/v1/cluster/images', repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: ClusterImage[] }>(request)).items;
  }
}
