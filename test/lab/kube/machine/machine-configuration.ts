import { join } from 'node:path';
import type { Certificate } from '../certificates.ts';
import type { MachinePaths } from './machine-paths.ts';

/** Addresses of the pods of a machine; the cluster's are all of 10.42.0.0/16. */
export const POD_RANGE = '10.42.0.0/24';
export const CLUSTER_RANGE = '10.42.0.0/16';
export const CLUSTER_DOMAIN = 'cluster.local';
export const REGISTRY_NAME = 'registry.home.lab';
/** Holds a pod's namespaces open; each lab makes it by itself. */
export const SANDBOX_IMAGE = `${REGISTRY_NAME}/bramble/sandbox:lab`;

/** https://github.com/containerd/containerd/blob/main/docs/cri/config.md */
export const containerdConfiguration = (paths: MachinePaths): string => `version = 3
root = "${paths.containerd}"
state = "/run/containerd"

[grpc]
  address = "${paths.containerdSocket}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${SANDBOX_IMAGE}"

# Where the computer does not let root be spared by the kernel, pods would not start.
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "${paths.networkConfiguration}"

[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${paths.registries}"
`;

/** As `install.sh --registry` tells k3s: https://github.com/containerd/containerd/blob/main/docs/hosts.md */
export const registryConfiguration = (place: string): string => `server = "http://${place}"

[host."http://${place}"]
  capabilities = ["pull", "resolve"]
`;

/**
 * A bridge for the pods. The plugin's own masquerading takes iptables; the machine's nftables do it instead.
 * https://www.cni.dev/plugins/current/main/bridge/
 */
export const networkConfiguration = (paths: MachinePaths): object => ({
  cniVersion: '1.0.0',
  name: 'lab',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(paths.directory, 'addresses'),
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
});

/** https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export const kubeletConfiguration = (
  paths: MachinePaths,
  about: { address: string; authority: string; own: Certificate },
): object => ({
  kind: 'KubeletConfiguration',
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  address: about.address,
  tlsCertFile: about.own.certificate,
  tlsPrivateKeyFile: about.own.key,
  // Only the API server and the lab's other users have a certificate of the authority; accounts of pods have none.
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: about.authority },
  },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${paths.cgroup}`,
  failCgroupV1: false,
  failSwapOn: false,
  resolvConf: paths.resolver,
  clusterDomain: CLUSTER_DOMAIN,
  clusterDNS: [about.address],
  podLogsDir: join(paths.directory, 'pod-logs'),
  volumePluginDir: join(paths.directory, 'volume-plugins'),
  makeIPTablesUtilChains: false,
  // The disk is the computer's: how full it is is not the lab's to judge.
  evictionHard: {
    'memory.available': '0%',
    'nodefs.available': '0%',
    'imagefs.available': '0%',
    'nodefs.inodesFree': '0%',
  },
  imageGCHighThresholdPercent: 100,
});

/** https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export const proxyConfiguration = (name: string, kubeconfig: string): object => ({
  kind: 'KubeProxyConfiguration',
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  mode: 'nftables',
  clusterCIDR: CLUSTER_RANGE,
  hostnameOverride: name,
  clientConnection: { kubeconfig },
  // Settings of the kernel, which are the computer's.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});
