import type { ReleaseName } from '#core/services/helm-releases';
import type { ContainerLog } from '#core/services/service-objects';
import type { ApiSession } from './api-session.ts';
import { locateAll } from './locate-all.ts';
import { listPathOf } from './locate.ts';
import { withOwned } from './owned-objects.ts';
import { readPodLines } from './pod-lines.ts';
import type { ApiPod } from './workloads.ts';

/** A daemon set has a pod on every node; more than these nobody reads at once. */
const MAX_CONTAINERS = 100;

/**
 * What the containers of a release's pods have written last, in order of pod, init containers first.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function tailLogs(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
  options: { lines: number; previous: boolean },
): Promise<ContainerLog[]> {
  const refs = (await locateAll(api, release, manifest)).map(({ ref }) => ref);
  const namespaces = [...new Set(refs.flatMap(({ namespace }) => namespace ?? []))];
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      const [own, pods] = await Promise.all([
        withOwned(
          api,
          namespace,
          refs.filter((ref) => ref.namespace === namespace),
        ),
        api.list<ApiPod>(listPathOf('v1', 'pods', namespace)),
      ]);
      const names = new Set(own.filter(({ kind }) => kind === 'Pod').map(({ name }) => name));
      return pods
        .filter(({ metadata }) => names.has(metadata.name))
        .flatMap((pod) => containersOf(pod, namespace));
    }),
  );
  return Promise.all(
    found
      .flat()
      .slice(0, MAX_CONTAINERS)
      .map(async (container) => ({
        ...container,
        ...(await readPodLines(api, { ...container, ...options })),
      })),
  );
}

const containersOf = (
  { metadata, spec }: ApiPod,
  namespace: string,
): { namespace: string; pod: string; container: string }[] =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ name }) => ({
    namespace,
    pod: metadata.name,
    container: name,
  }));
