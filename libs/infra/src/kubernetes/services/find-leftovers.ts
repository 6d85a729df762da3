import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectRef } from '#core/services/service-objects';
import { type ApiObject, groupOf } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { type ApiKinds, discoverKinds } from './discovery.ts';
import { isForeign } from './foreign-kinds.ts';
import { HELM_MANAGER, isKept, releaseOf } from './helm-ownership.ts';
import { type Located, listPathOf, locate } from './locate.ts';
import { readManifest } from './manifest.ts';
import type { ApiStatefulSet } from './workloads.ts';

interface Definition extends ApiObject {
  spec: { group: string; names: { kind: string } };
}

const DEFINITION = 'apiextensions.k8s.io/v1';

/**
 * What Helm leaves behind, as far as it is there now: claims that stateful sets have made, objects that are to be kept,
 * and definitions of the kinds that the release uses, when Helm has applied them from a chart's directory `crds`.
 * Nothing says which chart that was: another release may use them as well.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function findLeftovers(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ObjectRef[]> {
  const kinds = await discoverKinds(api);
  const targets = readManifest(manifest).map((object) => locate(object, release, kinds));
  const [claims, kept, definitions] = await Promise.all([
    claimsLeft(api, targets),
    keptObjects(api, targets),
    definitionsLeft(api, targets, kinds),
  ]);
  return [...claims, ...kept, ...definitions];
}

async function claimsLeft(api: ApiSession, targets: readonly Located[]): Promise<ObjectRef[]> {
  const sets = targets.filter(({ ref }) => ref.apiVersion === 'apps/v1' && ref.kind === 'StatefulSet');
  const namespaces = new Set(sets.flatMap(({ ref }) => ref.namespace ?? []));
  const found = await Promise.all(
    [...namespaces].map(async (namespace) => {
      const claims = await api.list<ApiObject>(listPathOf('v1', 'persistentvolumeclaims', namespace));
      return claims
        .map(({ metadata }) => metadata.name)
        .filter((name) => sets.some(({ object, ref }) => ref.namespace === namespace && makes(object, name)))
        .map((name) => ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name }));
    }),
  );
  return found.flat();
}

/** Claims are named `<template>-<set>-<number>`. */
function makes(object: ApiObject, claim: string): boolean {
  const { metadata, spec } = object as ApiStatefulSet;
  if (spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete') return false;
  return (spec.volumeClaimTemplates ?? []).some((template) => {
    const prefix = `${template.metadata.name}-${metadata.name}-`;
    return claim.startsWith(prefix) && /^\d+$/.test(claim.slice(prefix.length));
  });
}

async function keptObjects(api: ApiSession, targets: readonly Located[]): Promise<ObjectRef[]> {
  const kept = targets.filter(({ object }) => isKept(object));
  const lives = await Promise.all(kept.map(async ({ path }) => (path === null ? undefined : api.get(path))));
  return kept.filter((_, index) => lives[index] !== undefined).map(({ ref }) => ref);
}

async function definitionsLeft(
  api: ApiSession,
  targets: readonly Located[],
  kinds: ApiKinds,
): Promise<ObjectRef[]> {
  const used = new Set(targets.map(({ ref }) => `${groupOf(ref.apiVersion)}/${ref.kind}`));
  const usesForeign = targets.some(({ ref }) => isForeign(ref.apiVersion));
  const inManifest = new Set(
    targets.filter(({ ref }) => ref.kind === 'CustomResourceDefinition').map(({ ref }) => ref.name),
  );
  if ((!usesForeign && inManifest.size === 0) || !kinds.has(`${DEFINITION}/CustomResourceDefinition`))
    return [];
  const definitions = await api.list<Definition>(listPathOf(DEFINITION, 'customresourcedefinitions', null));
  return definitions
    .filter(
      (definition) =>
        (used.has(`${definition.spec.group}/${definition.spec.names.kind}`) ||
          inManifest.has(definition.metadata.name)) &&
        releaseOf(definition) === null &&
        appliedByHelm(definition),
    )
    .map(({ metadata }) => ({
      apiVersion: DEFINITION,
      kind: 'CustomResourceDefinition',
      namespace: null,
      name: metadata.name,
    }));
}

const appliedByHelm = ({ metadata }: ApiObject): boolean =>
  metadata.managedFields?.some(({ manager }) => manager === HELM_MANAGER) === true;
