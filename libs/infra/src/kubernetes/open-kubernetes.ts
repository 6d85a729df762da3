import type { KubernetesNodes } from '#core/cluster/kubernetes-nodes';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import { ApiKubernetesNodes } from './api-kubernetes-nodes.ts';
import { findKubernetes } from './kubernetes-access.ts';

/** @returns undefined where no Kubernetes is configured, nor around this process */
export function openKubernetes(configuration: WorkerConfiguration): KubernetesNodes | undefined {
  const access = findKubernetes(configuration.BRAMBLE_KUBECONFIG, process.env);
  if (access === undefined) return undefined;
  return new ApiKubernetesNodes({ access, timeoutMs: configuration.BRAMBLE_KUBERNETES_TIMEOUT_MS });
}
