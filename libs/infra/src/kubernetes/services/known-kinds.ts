import type { ApiKinds } from './discovery.ts';

/**
 * Kinds that every cluster serves and that are watched at short intervals: discovery is hundreds of kilobytes where charts
 * have brought kinds of their own.
 */
export const KNOWN_KINDS: ApiKinds = new Map(
  [
    ['apps/v1/Deployment', 'deployments'],
    ['apps/v1/ReplicaSet', 'replicasets'],
    ['apps/v1/StatefulSet', 'statefulsets'],
    ['apps/v1/DaemonSet', 'daemonsets'],
    ['batch/v1/Job', 'jobs'],
    ['v1/Pod', 'pods'],
    ['v1/PersistentVolumeClaim', 'persistentvolumeclaims'],
    ['v1/Service', 'services'],
    ['networking.k8s.io/v1/Ingress', 'ingresses'],
  ].map(([kind = '', resource = '']) => [kind, { resource, namespaced: true, hasStatus: true }]),
);
