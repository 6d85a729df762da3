import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectRef } from '#core/services/service-objects';
import { type ApiObject, groupOf } from './api-object.ts';
import type { ApiKinds } from './discovery.ts';

/** An object of a manifest, and where the API server has it. */
export interface Located {
  object: ApiObject;
  ref: ObjectRef;
  /** Of the API; null where the API server does not know the kind. */
  path: string | null;
}

export function locate(object: ApiObject, release: ReleaseName, kinds: ApiKinds): Located {
  const { apiVersion, kind, metadata } = object;
  const known = kinds.get(`${apiVersion}/${kind}`);
  const namespace = known?.namespaced === false ? null : (metadata.namespace ?? release.namespace);
  const ref: ObjectRef = { apiVersion, kind, namespace, name: metadata.name };
  return { object, ref, path: known === undefined ? null : pathOf(ref, known.resource) };
}

/** @param resource such as `deployments` */
export const pathOf = ({ apiVersion, namespace, name }: ObjectRef, resource: string): string =>
  `${listPathOf(apiVersion, resource, namespace)}/${encodeURIComponent(name)}`;

/** @param namespace null where the kind has none */
export function listPathOf(apiVersion: string, resource: string, namespace: string | null): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === null
    ? `${root}/${resource}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

/** What an object is known by, whatever the version that it is written in. */
export const keyOf = ({ apiVersion, kind, namespace, name }: ObjectRef): string =>
  [groupOf(apiVersion), kind, namespace ?? '', name].join('|');
