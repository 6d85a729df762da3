import type { AccessQuery, ClusterNamespace, NamespaceAccess } from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface AccessOptions extends Omit<AccessQuery, 'system'>, CallOptions {
  /** Whether bindings of Kubernetes' own parts are among them. Default: no. */
  system?: boolean | undefined;
}

/** Namespaces of the Kubernetes cluster. */
export class Namespaces {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * In order of name.
   * @throws ServerError `kubernetes_unavailable` where no cluster is configured, or it does not answer
   */
  async list({ signal }: CallOptions = {}): Promise<ClusterNamespace[]> {
    const request = { method: 'GET', path: '/v1/cluster/namespaces', repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: ClusterNamespace[] }>(request)).items;
  }

  /**
   * Who may do what in a namespace, and by which binding; with `verb` and `resource`, who may do just that. For admins.
   * @throws NotFoundError
   * @throws InvalidRequestError for a resource that the cluster does not know
   * @throws ServerError `kubernetes_unavailable` where no cluster is configured, or it does not answer
   */
  access(name: string, { signal, ...query }: AccessOptions = {}): Promise<NamespaceAccess> {
    const path = requestPath('v1', 'cluster', 'namespaces', name, 'access');
    return this.#transport.json({ method: 'GET', path, query, repeatable: true, signal });
  }
}
