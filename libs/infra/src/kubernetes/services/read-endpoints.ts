import type { ReleaseName } from '#core/services/helm-releases';
import type { ServiceEndpoint } from '#core/services/service-objects';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { KNOWN_KINDS } from './known-kinds.ts';
import { locate } from './locate.ts';
import { readManifest } from './manifest.ts';

interface GivenAddress {
  ip?: string;
  hostname?: string;
}

interface ApiService extends ApiObject {
  spec: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: readonly string[];
    loadBalancerIP?: string;
    ports?: readonly { name?: string; port: number; nodePort?: number; protocol?: string }[];
  };
  status?: { loadBalancer?: { ingress?: readonly GivenAddress[] } };
}

interface ApiIngress extends ApiObject {
  spec: { rules?: readonly { host?: string }[]; tls?: readonly { hosts?: readonly string[] }[] };
  status?: { loadBalancer?: { ingress?: readonly GivenAddress[] } };
}

interface ApiNodeAddresses {
  status?: { addresses?: readonly { type: string; address: string }[] };
}

/** How MetalLB is asked for addresses: of today, and of releases before 0.13. */
const WANTED = ['metallb.io/loadBalancerIPs', 'metallb.universe.tf/loadBalancerIPs'] as const;

/**
 * Where the services and ingresses of a release are reached, in the order of the manifest. Headless services, and those
 * that are another name for something outside, lead nowhere and are left out.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function readEndpoints(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ServiceEndpoint[]> {
  const targets = readManifest(manifest).map((object) => locate(object, release, KNOWN_KINDS));
  const found = await Promise.all(
    targets.map(async ({ ref, path }) => {
      if (path === null || (ref.kind !== 'Service' && ref.kind !== 'Ingress')) return [];
      const live = await api.get<ApiObject>(path);
      return live === undefined ? [] : [live];
    }),
  );
  const objects = found.flat();
  const isOnNodes = objects.some(({ kind, spec }) => kind === 'Service' && isNodePort(spec));
  const nodes = isOnNodes ? await nodeAddresses(api) : [];
  return objects.flatMap((object) =>
    object.kind === 'Ingress'
      ? [toIngressEndpoint(object as ApiIngress)]
      : toEndpoint(object as ApiService, nodes),
  );
}

/** @param nodes addresses of all nodes: each of them answers on a node port */
export function toEndpoint(
  { metadata, spec, status }: ApiService,
  nodes: readonly string[],
): ServiceEndpoint[] {
  const { name } = metadata;
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? null,
    port: spec.type === 'NodePort' ? (port.nodePort ?? port.port) : port.port,
    protocol: port.protocol ?? 'TCP',
  }));
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
  switch (spec.type) {
    case 'LoadBalancer': {
      const hosts = given(status?.loadBalancer?.ingress);
      const wanted = [spec.loadBalancerIP, ...WANTED.map((key) => metadata.annotations?.[key])]
        .flatMap((addresses) => addresses?.split(',') ?? [])
        .map((address) => address.trim())
        .filter((address) => address !== '');
      return [{ name, kind: 'LoadBalancer', hosts, wanted: [...new Set(wanted)], ports }];
    }
    case 'NodePort':
      return [{ name, kind: 'NodePort', hosts: [...nodes], wanted: [], ports }];
    case undefined:
    case 'ClusterIP':
      return clusterIps.length === 0
        ? []
        : [{ name, kind: 'ClusterIP', hosts: clusterIps, wanted: [], ports }];
    default:
      return [];
  }
}

/** Hosts of its rules; where a rule is for every host, the addresses of the controller. */
export function toIngressEndpoint({ metadata, spec, status }: ApiIngress): ServiceEndpoint {
  const named = (spec.rules ?? []).flatMap(({ host }) => (host === undefined || host === '' ? [] : [host]));
  const hosts = named.length > 0 ? named : given(status?.loadBalancer?.ingress);
  const http = { name: 'http', port: 80, protocol: 'TCP' };
  const https = { name: 'https', port: 443, protocol: 'TCP' };
  return {
    name: metadata.name,
    kind: 'Ingress',
    hosts: [...new Set(hosts)],
    wanted: [],
    ports: (spec.tls ?? []).length > 0 ? [http, https] : [http],
  };
}

const isNodePort = (spec: unknown): boolean => (spec as ApiService['spec']).type === 'NodePort';

const given = (addresses: readonly GivenAddress[] = []): string[] =>
  addresses.flatMap(({ ip, hostname }) => ip ?? hostname ?? []);

async function nodeAddresses(api: ApiSession): Promise<string[]> {
  const nodes = await api.list<ApiNodeAddresses>('/api/v1/nodes');
  return nodes.flatMap(({ status }) =>
    (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
  );
}
