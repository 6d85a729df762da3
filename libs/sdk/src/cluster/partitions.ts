import type { PartitionList } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import type { Transport } from '../http/transport.ts';

export class Partitions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws ServerError `not_ready` where Slurm has not answered yet since Bramble was set up */
  list({ signal }: CallOptions = {}): Promise<PartitionList> {
    return this.#transport.json({ method: 'GET', path: '/v1/partitions', repeatable: true, signal });
  }
}
