import type { Discovery } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { pause } from '../http/pause.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

const LOOK_AGAIN_MS = 500;

/** Looks at who is in the network of the boards. For admins. */
export class Discoveries {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Begins to look at a range of addresses, /22 or smaller.
   * @param range in CIDR notation; left out, the subnet of the boards
   * @returns the discovery, to be watched
   * @throws InvalidRequestError where the range is larger, or not in the subnet of the boards
   */
  start(range?: string, { signal }: CallOptions = {}): Promise<Discovery> {
    return this.#transport.json({
      method: 'POST',
      path: '/v1/admin/discoveries',
      headers: { 'Content-Type': 'application/json' },
      body: () => JSON.stringify(range === undefined ? {} : { range }),
      repeatable: false,
      signal,
    });
  }

  /** @throws NotFoundError */
  get(id: string, { signal }: CallOptions = {}): Promise<Discovery> {
    const path = requestPath('v1', 'admin', 'discoveries', id);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /** A discovery whenever its state has changed, until it has ended. @throws NotFoundError */
  async *watch(id: string, { signal }: CallOptions = {}): AsyncGenerator<Discovery, void, undefined> {
    let state: Discovery['state'] | undefined;
    for (;;) {
      const discovery = await this.get(id, { signal });
      if (discovery.state !== state) yield discovery;
      state = discovery.state;
      if (discovery.finished) return;
      await pause(LOOK_AGAIN_MS, signal);
    }
  }
}
