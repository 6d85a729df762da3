import type { ApiSession } from './api-session.ts';

/** How a kind is addressed. */
export interface ApiKind {
  /** Such as `deployments`. */
  resource: string;
  namespaced: boolean;
  /** Whether its status is written apart from what is asked for. */
  hasStatus: boolean;
}

/** What the API server serves, by `apiVersion/kind` such as `apps/v1/Deployment`. */
export type ApiKinds = ReadonlyMap<string, ApiKind>;

interface GroupDiscovery {
  metadata?: { name?: string };
  versions?: readonly { version: string; resources?: readonly ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  resource: string;
  responseKind?: { kind: string };
  scope: 'Namespaced' | 'Cluster';
  subresources?: readonly { subresource: string }[];
}

/**
 * Aggregated discovery: all groups with two calls, and a group whose own server is broken is there without resources
 * instead of failing all. Stable since Kubernetes 1.30.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** @throws ApiRefusal */
export async function discoverKinds(api: ApiSession): Promise<ApiKinds> {
  const answers = await Promise.all(
    ['/api', '/apis'].map((path) => api.get<{ items?: readonly GroupDiscovery[] }>(path, { accept: ACCEPT })),
  );
  const groups = answers.flatMap((answer) => answer?.items ?? []);
  return new Map(groups.flatMap(kindsOf));
}

const kindsOf = ({ metadata, versions = [] }: GroupDiscovery): [string, ApiKind][] =>
  versions.flatMap(({ version, resources = [] }) => {
    const group = metadata?.name ?? '';
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return resources.flatMap(({ resource, responseKind, scope, subresources = [] }): [string, ApiKind][] =>
      responseKind === undefined
        ? []
        : [
            [
              `${apiVersion}/${responseKind.kind}`,
              {
                resource,
                namespaced: scope === 'Namespaced',
                hasStatus: subresources.some(({ subresource }) => subresource === 'status'),
              },
            ],
          ],
    );
  });
