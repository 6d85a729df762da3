import { expect, it } from 'vitest';
import { readManifest } from '#infra/kubernetes/services/manifest';
import { objectsManifest } from './objects-manifest.ts';

it('is read as what it was written from', () => {
  const objects = [
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'registry', name: 'zot' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', namespace: null, name: 'system:a"b' },
  ];
  expect(readManifest(objectsManifest(objects))).toEqual([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'zot', namespace: 'registry' } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:a"b' } },
  ]);
  expect(objectsManifest([])).toBe('');
});
