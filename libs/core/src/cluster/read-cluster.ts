import { type ClusterImageList, toClusterImages } from '../services/mirror/cluster-image.ts';
import type { LabRegistry } from '../services/mirror/lab-registry.ts';
import type { Answer } from '../vocabulary/answer.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { AccessQuery, NamespaceAccess } from './access-view/access-resource.ts';
import { viewAccess } from './access-view/access-view.ts';
import type { ApiResource } from './access-view/rbac.ts';
import { readTarget } from './access-view/read-target.ts';
import type { DeedTarget } from './access-view/rule-matching.ts';
import type { ClusterView } from './cluster-view.ts';
import { type ClusterNamespaceList, isProtectedNamespace } from './namespaces/namespace.ts';

/** Answers what the Kubernetes cluster has, as it is at the moment. */
export class ReadCluster {
  readonly #view: ClusterView;
  readonly #registry: LabRegistry | null;

  /** @param registry null where none is configured */
  constructor(view: ClusterView, registry: LabRegistry | null) {
    this.#view = view;
    this.#registry = registry;
  }

  /** @throws Problem `kubernetes_unavailable` */
  async namespaces(): Promise<ClusterNamespaceList> {
    const namespaces = available(await this.#view.namespaces());
    const items = namespaces.map((namespace) => ({
      ...namespace,
      protected: isProtectedNamespace(namespace.name, this.#view.ownNamespace),
    }));
    return { items };
  }

  /** @throws Problem `kubernetes_unavailable`, `not_found`, `invalid_request` for a resource that is not known */
  async access(namespace: string, query: AccessQuery): Promise<NamespaceAccess> {
    const [rbac, target] = await Promise.all([this.#view.rbac(namespace), this.#target(query.resource)]);
    if (rbac.kind === 'absent') throw notFound('namespace', namespace);
    const { subject, system, verb = null } = query;
    return { namespace, ...viewAccess(available(rbac), { subject, system, verb, target }) };
  }

  /** @throws Problem `kubernetes_unavailable` */
  async images(): Promise<ClusterImageList> {
    return { items: await toClusterImages(available(await this.#view.images()), this.#registry) };
  }

  async #target(resource: string | undefined): Promise<DeedTarget | null> {
    if (resource === undefined) return null;
    const resources = available<ApiResource[]>(await this.#view.resources());
    const target = readTarget(resource, resources);
    if (target !== undefined) return target;
    const message = `the API server knows no resource "${resource}": name it as kubectl does, such as "pods" or "deployments.apps"`;
    throw new Problem('invalid_request', 'The request is not right.', {
      faults: [{ field: 'query.resource', message }],
    });
  }
}

function available<T>(answer: Answer<T>): T {
  switch (answer.kind) {
    case 'present':
      return answer.value;
    case 'absent':
      throw new Error('the API server has no such list');
    case 'unknown':
      throw new Problem('kubernetes_unavailable', answer.because);
  }
}
