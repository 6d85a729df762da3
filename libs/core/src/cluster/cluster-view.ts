import type { ObservedImage } from '../services/mirror/cluster-image.ts';
import { type Answer, unknown } from '../vocabulary/answer.ts';
import type { ApiResource, NamespaceRbac } from './access-view/rbac.ts';
import type { ObservedNamespace } from './namespaces/namespace.ts';

/** What is read of the cluster for views, and changes nothing there. */
export interface ClusterView {
  /** The namespace that this process runs in; null outside of the cluster. */
  readonly ownNamespace: string | null;
  /** In order of name. */
  namespaces(): Promise<Answer<ObservedNamespace[]>>;
  /** @returns absent where there is no such namespace */
  rbac(namespace: string): Promise<Answer<NamespaceRbac>>;
  /** The kinds of objects that the API server has, in the order in which a bare name is looked for. */
  resources(): Promise<Answer<ApiResource[]>>;
  /** Images of all pods. */
  images(): Promise<Answer<ObservedImage[]>>;
}

/** What is answered where no Kubernetes is configured. */
export const NO_CLUSTER = unknown(
  'No Kubernetes is configured. Set BRAMBLE_KUBECONFIG, or give the pod a service account with its token.',
);
const notConfigured = () => Promise.resolve(NO_CLUSTER);

/** Where no Kubernetes is configured. */
export const noCluster: ClusterView = {
  ownNamespace: null,
  namespaces: notConfigured,
  rbac: notConfigured,
  resources: notConfigured,
  images: notConfigured,
};
