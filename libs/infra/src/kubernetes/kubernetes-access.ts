import { existsSync } from 'node:fs';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';

/** How the API server is reached. */
export type KubernetesAccess =
  | { kind: 'kubeconfig'; file: string }
  /** By the service account of the pod that this runs in. */
  | { kind: 'service-account'; rootDirectory: string };

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * @param kubeconfig the file of the setting; it goes before a service account
 * @param rootDirectory what stands before the paths of a pod; '' in a pod
 * @returns undefined where no cluster is configured
 */
export function findKubernetes(
  kubeconfig: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  rootDirectory = '',
): KubernetesAccess | undefined {
  if (kubeconfig !== undefined) return { kind: 'kubeconfig', file: kubeconfig };
  const { KUBERNETES_SERVICE_HOST } = environment;
  if (KUBERNETES_SERVICE_HOST === undefined || KUBERNETES_SERVICE_HOST === '') return undefined;
  return existsSync(`${rootDirectory}${TOKEN}`) ? { kind: 'service-account', rootDirectory } : undefined;
}

/**
 * Loads what `access` names as it is now: k3s renews the certificates in its kubeconfig, and Kubernetes its tokens.
 * @throws KubernetesUnavailable where it cannot be read, names no cluster, or does not say how the server is recognised
 */
export function loadKubernetes(access: KubernetesAccess, config: KubeConfig): Cluster {
  const source = access.kind === 'kubeconfig' ? `The kubeconfig ${access.file}` : "The pod's service account";
  try {
    if (access.kind === 'kubeconfig') config.loadFromFile(access.file);
    else config.loadFromCluster(access.rootDirectory);
  } catch (error) {
    throw new KubernetesUnavailable(`${source} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new KubernetesUnavailable(`${source} names no cluster in its current context`);
  if (cluster.skipTLSVerify || !cluster.server.startsWith('https://')) {
    throw new KubernetesUnavailable(
      `${source} does not say how ${cluster.server} is recognised: anybody in between could read its credentials. ` +
        'Give it an https address and certificate-authority-data, and no insecure-skip-tls-verify.',
    );
  }
  return cluster;
}
