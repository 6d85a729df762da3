import { existsSync, readFileSync } from 'node:fs';
import { type ClusterView, noCluster } from '#core/cluster/cluster-view';
import type { KubernetesNodes } from '#core/cluster/kubernetes-nodes';
import type { SharedConfiguration } from '#core/configuration/configuration';
import type { LiveServices } from '#core/services/read-services';
import { ApiClusterView } from './access/api-cluster-view.ts';
import { ApiKubernetesNodes } from './api-kubernetes-nodes.ts';
import { findKubernetes, type KubernetesAccess } from './kubernetes-access.ts';
import { ApiServiceObjects } from './services/api-service-objects.ts';

const NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** @returns undefined where no Kubernetes is configured, nor around this process */
export function openKubernetes(configuration: SharedConfiguration): KubernetesNodes | undefined {
  const options = kubernetesOptions(configuration);
  return options === undefined ? undefined : new ApiKubernetesNodes(options);
}

/** Where no Kubernetes is configured, nor around this process, it says so to each question. */
export function openClusterView(configuration: SharedConfiguration): ClusterView {
  const options = kubernetesOptions(configuration);
  return options === undefined ? noCluster : new ApiClusterView(options, namespaceAround(options.access));
}

/** @returns null where no Kubernetes is configured, nor around this process */
export function openLiveServices(configuration: SharedConfiguration): LiveServices | null {
  const options = kubernetesOptions(configuration);
  return options === undefined ? null : new ApiServiceObjects(options);
}

/** @returns undefined where no Kubernetes is configured, nor around this process */
export function kubernetesOptions(
  configuration: SharedConfiguration,
): { access: KubernetesAccess; timeoutMs: number } | undefined {
  const access = findKubernetes(configuration.BRAMBLE_KUBECONFIG, process.env);
  return access === undefined
    ? undefined
    : { access, timeoutMs: configuration.BRAMBLE_KUBERNETES_TIMEOUT_MS };
}

/** The namespace of the pod that this is; with a kubeconfig it may be a pod of quite another cluster. */
function namespaceAround(access: KubernetesAccess): string | null {
  if (access.kind === 'kubeconfig') return null;
  const file = `${access.rootDirectory}${NAMESPACE}`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}
