import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectChange } from '#core/services/service-objects';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { dryRun, objectChanges } from './dry-run.ts';
import { locateAll } from './locate-all.ts';
import { removesItself } from './workloads.ts';
import { type Located, keyOf, listPathOf } from './locate.ts';

interface Autoscaler {
  metadata: { namespace?: string };
  spec: { scaleTargetRef: { apiVersion?: string; kind: string; name: string } };
}

/** Whose certificates are filled in by controllers such as cert-manager's. */
const WITH_CA_BUNDLE: ReadonlySet<string> = new Set([
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'CustomResourceDefinition',
  'APIService',
]);

/**
 * Fields of the manifest that are different now, and objects that are gone. What others have added is no drift, nor is
 * what the API server fills in, since it is asked itself what applying would make of the object.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function findDrift(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ObjectChange[]> {
  const targets = await locateAll(api, release, manifest);
  const namespaces = new Set(targets.flatMap(({ ref }) => ref.namespace ?? []));
  const scaled = await scaledObjects(api, namespaces);
  const drifts = await Promise.all(targets.map((target) => driftOf(api, release, target, scaled)));
  return drifts.filter((drift) => drift !== undefined);
}

async function driftOf(
  api: ApiSession,
  release: ReleaseName,
  { object, ref, path }: Located,
  scaled: ReadonlySet<string>,
): Promise<ObjectChange | undefined> {
  const live = path === null ? undefined : await api.get<ApiObject>(path);
  if (live === undefined && removesItself(object)) return undefined;
  if (path === null || live === undefined)
    return { object: ref, change: 'create', fields: [], message: 'It is gone' };
  const result = await dryRun(api, path, object, release, true);
  if (result.kind === 'refused')
    return { object: ref, change: 'refused', fields: [], message: result.message };
  if (result.kind !== 'applied') return undefined;
  const isScaled = scaled.has(keyOf(ref));
  const fields = objectChanges(live, result.object).filter(
    (field) =>
      !(isScaled && field.path === 'spec.replicas') &&
      !(WITH_CA_BUNDLE.has(ref.kind) && field.path.endsWith('.caBundle')),
  );
  return fields.length === 0 ? undefined : { object: ref, change: 'change', fields, message: null };
}

async function scaledObjects(api: ApiSession, namespaces: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const lists = await Promise.all(
    [...namespaces].map((namespace) =>
      api.list<Autoscaler>(listPathOf('autoscaling/v2', 'horizontalpodautoscalers', namespace)),
    ),
  );
  return new Set(
    lists.flat().map(({ metadata, spec: { scaleTargetRef } }) =>
      keyOf({
        apiVersion: scaleTargetRef.apiVersion ?? 'apps/v1',
        kind: scaleTargetRef.kind,
        namespace: metadata.namespace ?? null,
        name: scaleTargetRef.name,
      }),
    ),
  );
}
