import type { KubeApi } from './kube-api.ts';

interface NodeList {
  items: {
    metadata: { name: string };
    status: { conditions?: { type: string; status: string }[] };
  }[];
}

export async function readyNodes(api: KubeApi): Promise<string[]> {
  const { items } = (await api.get('/api/v1/nodes')) as NodeList;
  return items
    .filter(({ status }) =>
      status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    )
    .map(({ metadata }) => metadata.name);
}
