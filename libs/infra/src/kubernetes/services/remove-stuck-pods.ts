import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectRef } from '#core/services/service-objects';
import { ApiRefusal } from './api-refusal.ts';
import type { ApiSession } from './api-session.ts';
import { podsOf } from './current-pods.ts';
import { KNOWN_KINDS } from './known-kinds.ts';
import { listPathOf, locate, pathOf } from './locate.ts';
import { readManifest } from './manifest.ts';
import { stuckPods } from './stuck-rollout.ts';
import { type ApiPod, type ApiStatefulSet, isObserved, workloadKindOf } from './workloads.ts';

/**
 * Deletes the pods that keep stateful sets of a release from going on, so that they are made anew as they are to be now.
 * @returns what was deleted
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function removeStuckPods(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ObjectRef[]> {
  const sets = readManifest(manifest)
    .filter((object) => workloadKindOf(object) === 'StatefulSet')
    .map((object) => locate(object, release, KNOWN_KINDS));
  const stuck = await Promise.all(
    sets.map(async ({ ref, path }) => {
      const live = path === null ? undefined : await api.get<ApiStatefulSet>(path);
      if (live === undefined || !isObserved(live.metadata, live.status)) return [];
      const pods = await api.list<ApiPod>(listPathOf('v1', 'pods', ref.namespace));
      return stuckPods('StatefulSet', live, podsOf('StatefulSet', live, pods, []).old);
    }),
  );
  return Promise.all(stuck.flat().map((pod) => remove(api, pod)));
}

async function remove(api: ApiSession, { metadata }: ApiPod): Promise<ObjectRef> {
  const { name, namespace = null, uid } = metadata;
  const ref: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace, name };
  const path = pathOf(ref, 'pods');
  // By its uid, so that one that was made anew meanwhile is left alone.
  const answer = await api.call(path, { method: 'DELETE', body: { preconditions: { uid } } });
  const isGone = answer.status === 404 || answer.status === 409;
  if (answer.status !== 200 && !isGone) throw new ApiRefusal('DELETE', path, answer);
  return ref;
}
