import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where each thing of a machine lies. */
export interface MachinePaths {
  directory: string;
  networkNamespace: string;
  /** Name of its control groups. */
  cgroup: string;
  containerd: string;
  containerdSocket: string;
  containerdConfiguration: string;
  networkConfiguration: string;
  /** What containerd knows of registries, by their names. */
  registries: string;
  /** Names of services. */
  names: string;
  kubelet: string;
  kubeletConfiguration: string;
  proxyConfiguration: string;
  resolver: string;
  /** What its process 1 runs. */
  start: string;
}

export function machinePaths(clusterDirectory: string, name: string): MachinePaths {
  const directory = join(machinesDirectory(clusterDirectory), name);
  const below = (path: string): string => join(directory, path);
  return {
    directory,
    networkNamespace: below('network-namespace'),
    cgroup: `brk${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`,
    containerd: below('containerd'),
    containerdSocket: below('containerd.sock'),
    containerdConfiguration: below('containerd.toml'),
    networkConfiguration: below('networks'),
    registries: below('registries'),
    names: below('names'),
    kubelet: below('kubelet'),
    kubeletConfiguration: below('kubelet.json'),
    proxyConfiguration: below('kube-proxy.json'),
    resolver: below('resolv.conf'),
    start: below('start'),
  };
}

export const machinesDirectory = (clusterDirectory: string): string => join(clusterDirectory, 'machines');
