import type { ObjectRef } from '#core/services/service-objects';
import { type ApiObject, groupOf } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { listPathOf } from './locate.ts';

/** Kinds that controllers and operators make: what a pod may descend from. */
const MADE: readonly (readonly [apiVersion: string, kind: string, resource: string])[] = [
  ['apps/v1', 'Deployment', 'deployments'],
  ['apps/v1', 'ReplicaSet', 'replicasets'],
  ['apps/v1', 'StatefulSet', 'statefulsets'],
  ['apps/v1', 'DaemonSet', 'daemonsets'],
  ['batch/v1', 'Job', 'jobs'],
  ['v1', 'Pod', 'pods'],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
];
/** Names, labels and owners alone: a list of pods is a tenth as long then. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * Objects in a namespace that descend from those of `roots`, and these themselves. By name rather than by uid: an owner
 * may be gone already.
 * @throws ApiRefusal
 */
export async function withOwned(
  api: ApiSession,
  namespace: string,
  roots: readonly ObjectRef[],
): Promise<ObjectRef[]> {
  const lists = await Promise.all(
    MADE.map(async ([apiVersion, kind, resource]) => {
      const objects = await api.list<ApiObject>(listPathOf(apiVersion, resource, namespace), {
        accept: METADATA_ONLY,
      });
      return objects.map(({ metadata }) => ({ apiVersion, kind, metadata }));
    }),
  );
  const known = new Map(roots.map((ref) => [ownerKey(ref), ref]));
  let left = lists.flat();
  for (;;) {
    const found = left.filter(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => known.has(ownerKey(owner))),
    );
    if (found.length === 0) return [...known.values()];
    for (const { apiVersion, kind, metadata } of found) {
      const ref = { apiVersion, kind, namespace, name: metadata.name };
      known.set(ownerKey(ref), ref);
    }
    left = left.filter((object) => !found.includes(object));
  }
}

const ownerKey = ({ apiVersion, kind, name }: Pick<ObjectRef, 'apiVersion' | 'kind' | 'name'>): string =>
  `${groupOf(apiVersion)}/${kind}/${name}`;
