import type { ClusterCapabilities } from '#core/services/service-objects';
import type { ApiNode } from '../api-node.ts';
import { readQuantity } from '../quantity.ts';
import type { ApiSession } from './api-session.ts';
import { discoverKinds } from './discovery.ts';

const MEBIBYTE = 2 ** 20;

/** @throws ApiRefusal */
export async function readCapabilities(api: ApiSession): Promise<ClusterCapabilities> {
  const [version, nodes, kinds] = await Promise.all([
    api.get<{ gitVersion?: string }>('/version'),
    api.list<ApiNode>('/api/v1/nodes'),
    discoverKinds(api),
  ]);
  return {
    version: releaseIn(version?.gitVersion ?? ''),
    nodes: nodes.map(toNode).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    kinds: new Set(kinds.keys()),
  };
}

function toNode({ metadata, status }: ApiNode): ClusterCapabilities['nodes'][number] {
  const memoryBytes = readQuantity(status?.capacity?.memory ?? '');
  return {
    name: metadata?.name ?? '',
    architecture: status?.nodeInfo?.architecture ?? null,
    memoryMebibytes: memoryBytes === undefined ? null : Math.floor(memoryBytes / MEBIBYTE),
    kernel: status?.nodeInfo?.kernelVersion ?? null,
  };
}

/** `1.36.3` of `v1.36.3+k3s1`. */
const releaseIn = (gitVersion: string): string => /^v?(\d+(?:\.\d+)*)/.exec(gitVersion)?.[1] ?? gitVersion;
