import type { ApiResource } from '#core/cluster/access-view/rbac';
import type { ApiSession } from '../services/api-session.ts';

interface GroupDiscovery {
  metadata?: { name?: string };
  versions?: readonly { resources?: readonly ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  resource: string;
  singularResource?: string;
  shortNames?: readonly string[];
  scope: 'Namespaced' | 'Cluster';
}

/** @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery */
const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Everything that the API server has, the core's group first and the others as it orders them. */
export async function discoverResources(api: ApiSession): Promise<ApiResource[]> {
  const [core, others] = await Promise.all(
    ['/api', '/apis'].map((path) => api.get<{ items?: readonly GroupDiscovery[] }>(path, { accept: ACCEPT })),
  );
  return [...(core?.items ?? []), ...(others?.items ?? [])].flatMap(resourcesOf);
}

/** Each once, whatever the number of versions that have it. */
function resourcesOf({ metadata, versions = [] }: GroupDiscovery): ApiResource[] {
  const byName = new Map(
    versions.flatMap(({ resources = [] }) => resources.map((one) => [one.resource, one])),
  );
  return [...byName.values()].map(({ resource, singularResource = '', shortNames = [], scope }) => ({
    group: metadata?.name ?? '',
    resource,
    aliases: [singularResource, ...shortNames].filter((alias) => alias !== ''),
    namespaced: scope === 'Namespaced',
  }));
}
