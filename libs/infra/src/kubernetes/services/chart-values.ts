import type { MissingRight } from './missing-right.ts';

const WRITTEN: readonly string[] = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/** What the worker may do in the namespaces of services, by resource. `test/charts/bramble.spec.ts` compares it with the chart. */
export const IN_NAMESPACES_OF_SERVICES: Readonly<Record<string, readonly string[]>> = {
  namespaces: ['get'],
  configmaps: WRITTEN,
  secrets: [...WRITTEN, 'update'],
  services: WRITTEN,
  serviceaccounts: WRITTEN,
  persistentvolumeclaims: WRITTEN,
  'deployments.apps': WRITTEN,
  'statefulsets.apps': WRITTEN,
  'daemonsets.apps': WRITTEN,
  'replicasets.apps': ['list'],
  'jobs.batch': WRITTEN,
  'cronjobs.batch': WRITTEN,
  'ingresses.networking.k8s.io': WRITTEN,
  'networkpolicies.networking.k8s.io': WRITTEN,
  'poddisruptionbudgets.policy': WRITTEN,
  'horizontalpodautoscalers.autoscaling': WRITTEN,
  pods: ['list', 'delete'],
  'pods/log': ['get'],
  events: ['list'],
};

const VIEWS = 'to the api with kubernetes.views=true';
const IN_THE_CLUSTER: Readonly<Record<string, string>> = {
  nodes: 'to the worker with kubernetes.nodes=true',
  namespaces: VIEWS,
  pods: `${VIEWS}, and to the worker with kubernetes.registry`,
};
const RBAC = /^(cluster)?role(binding)?s\.rbac\.authorization\.k8s\.io$/;
const EVERYTHING = 'to the worker with kubernetes.services.scope=cluster';

/**
 * Which value of Bramble's chart gives a right, behind "gives the right".
 * @returns undefined where it is no resource
 */
export function chartValueFor({ verb, what, namespace }: MissingRight): string | undefined {
  if (what.startsWith('/')) return undefined;
  if (RBAC.test(what) && verb === 'list') return VIEWS;
  if (namespace === null) return (verb === 'list' ? IN_THE_CLUSTER[what] : undefined) ?? EVERYTHING;
  const ofServices = `with ${namespace} among kubernetes.services.namespaces`;
  if (what === 'namespaces' && verb === 'get') return `to the worker ${ofServices}, and ${VIEWS}`;
  return IN_NAMESPACES_OF_SERVICES[what]?.includes(verb) === true ? ofServices : EVERYTHING;
}
