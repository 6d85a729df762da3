import type { KubernetesNode } from '#core/cluster/kubernetes-nodes';
import type { ApiNode } from './api-node.ts';
import { nodeProblems } from './node-conditions.ts';
import { readQuantity } from './quantity.ts';

const ROLE_LABEL = 'node-role.kubernetes.io/';
const MEBIBYTE = 2 ** 20;

/** What the API server tells of a node, in Bramble's words. */
export function toKubernetesNode({ metadata, spec, status }: ApiNode): KubernetesNode {
  const info = status?.nodeInfo;
  const conditions = status?.conditions ?? [];
  const memoryBytes = readQuantity(status?.capacity?.memory ?? '');
  return {
    name: metadata?.name ?? '',
    ready: conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    unschedulable: spec?.unschedulable ?? false,
    problems: nodeProblems(conditions),
    roles: readRoles(metadata?.labels ?? {}),
    addresses: (status?.addresses ?? []).map(({ type, address }) => ({ type, address })),
    kubeletVersion: orNull(info?.kubeletVersion),
    architecture: orNull(info?.architecture),
    osImage: orNull(info?.osImage),
    kernel: orNull(info?.kernelVersion),
    cpus: readQuantity(status?.capacity?.cpu ?? '') ?? null,
    memoryMebibytes: memoryBytes === undefined ? null : Math.floor(memoryBytes / MEBIBYTE),
    createdAt: metadata?.creationTimestamp?.toISOString() ?? null,
  };
}

/** Clusters older than 1.16 have the second form; some tools still write it. */
function readRoles(labels: Readonly<Record<string, string>>): string[] {
  const named = Object.keys(labels)
    .filter((label) => label.startsWith(ROLE_LABEL))
    .map((label) => label.slice(ROLE_LABEL.length));
  const single = labels['kubernetes.io/role'] ?? '';
  return [...new Set([...named, single])].filter((role) => role !== '').sort();
}

const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);
