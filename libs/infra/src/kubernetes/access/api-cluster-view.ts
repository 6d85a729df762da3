import type { ApiResource, NamespaceRbac } from '#core/cluster/access-view/rbac';
import type { ClusterView } from '#core/cluster/cluster-view';
import type { ObservedNamespace } from '#core/cluster/namespaces/namespace';
import type { ObservedImage } from '#core/services/mirror/cluster-image';
import { absent, type Answer } from '#core/vocabulary/answer';
import { type ApiServerOptions, type ApiSession, askApiServer } from '../services/api-session.ts';
import { type ApiBinding, type ApiRole, toNamespaceRbac } from './api-rbac.ts';
import { discoverResources } from './api-resources.ts';
import { type ApiPod, imagesOfPod } from './pod-images.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** Nothing but the metadata: what a pod is made of is many times as long. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

interface ApiNamespace {
  metadata: { name: string; labels?: Readonly<Record<string, string>>; creationTimestamp?: string };
  status?: { phase?: string };
}

/** Views of the cluster by way of Kubernetes' API. */
export class ApiClusterView implements ClusterView {
  readonly ownNamespace: string | null;
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions, ownNamespace: string | null) {
    this.#options = options;
    this.ownNamespace = ownNamespace;
  }

  namespaces(): Promise<Answer<ObservedNamespace[]>> {
    return askApiServer(this.#options, async (api) => {
      const [namespaces, pods] = await Promise.all([
        api.list<ApiNamespace>('/api/v1/namespaces'),
        api.list<{ metadata: { namespace: string } }>('/api/v1/pods', {
          accept: METADATA_ONLY,
          query: { fieldSelector: NOT_ENDED },
        }),
      ]);
      const podsIn = Map.groupBy(pods, ({ metadata }) => metadata.namespace);
      return namespaces
        .map((namespace) => toNamespace(namespace, podsIn.get(namespace.metadata.name)?.length ?? 0))
        .sort((a, b) => a.name.localeCompare(b.name, 'en'));
    });
  }

  async rbac(namespace: string): Promise<Answer<NamespaceRbac>> {
    const answer = await askApiServer(this.#options, (api) => readRbac(api, namespace));
    if (answer.kind !== 'present') return answer;
    return answer.value === undefined ? absent : { kind: 'present', value: answer.value };
  }

  resources(): Promise<Answer<ApiResource[]>> {
    return askApiServer(this.#options, discoverResources);
  }

  images(): Promise<Answer<ObservedImage[]>> {
    return readImages(this.#options);
  }
}

/** Images of all pods of the cluster. */
export const readImages = (options: ApiServerOptions): Promise<Answer<ObservedImage[]>> =>
  askApiServer(options, async (api) => (await api.list<ApiPod>('/api/v1/pods')).flatMap(imagesOfPod));

/** @returns undefined where there is no such namespace: asked for its roles, the server has an empty list for any */
async function readRbac(api: ApiSession, namespace: string): Promise<NamespaceRbac | undefined> {
  const name = encodeURIComponent(namespace);
  const [found, roles, clusterRoles, roleBindings, clusterRoleBindings] = await Promise.all([
    api.get(`/api/v1/namespaces/${name}`),
    api.list<ApiRole>(`${RBAC}/namespaces/${name}/roles`),
    api.list<ApiRole>(`${RBAC}/clusterroles`),
    api.list<ApiBinding>(`${RBAC}/namespaces/${name}/rolebindings`),
    api.list<ApiBinding>(`${RBAC}/clusterrolebindings`),
  ]);
  if (found === undefined) return undefined;
  return toNamespaceRbac({ roles, clusterRoles, roleBindings, clusterRoleBindings });
}

function toNamespace({ metadata, status }: ApiNamespace, pods: number): ObservedNamespace {
  return {
    name: metadata.name,
    labels: { ...metadata.labels },
    phase: status?.phase ?? 'Active',
    createdAt: metadata.creationTimestamp ?? null,
    pods,
  };
}
