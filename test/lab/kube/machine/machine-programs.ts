import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from '../../../../scripts/debian-packages.ts';
import type { Log } from '../../../../scripts/debian-packages.ts';
import { LabError } from '../../lab-error.ts';
import type { KubeBinaries } from '../binaries.ts';
import { ensureGoTools } from '../go-tools.ts';
import type { GoTools } from '../go-tools.ts';

/** What a machine needs to run pods, beside what Debian has: runc, network plugins, the packet filter, dnsmasq. */
export interface MachinePrograms {
  kubelet: string;
  kubeProxy: string;
  /** Holds pods to network policies, as it does in k3s. */
  kubeRouter: string;
  /** With containerd and its shim. */
  containerd: string;
}

/** Debian 12's own is too old for the kubelet: it does not tell which driver of control groups it takes. */
const CONTAINER_TOOLS: GoTools = {
  module: fileURLToPath(new URL('../container-tools', import.meta.url)),
  programs: ['containerd', 'containerd-shim-runc-v2'],
  linked: (goMod) => {
    const version = goMod.versionOf('github.com/containerd/containerd/v2').slice(1);
    return [`github.com/containerd/containerd/v2/version.Version=${version}`];
  },
  duration: 'about 2 minutes on two cores',
};

const POLICY_TOOLS: GoTools = {
  module: fileURLToPath(new URL('../policy-tools', import.meta.url)),
  programs: ['kube-router'],
  linked: () => [],
  duration: 'about a minute on two cores',
};

/** @throws LabError when the build fails, or the cluster's programs came without a kubelet. */
export async function ensureMachinePrograms(binaries: KubeBinaries, log: Log): Promise<MachinePrograms> {
  await ensureDebianPackages('containers', log);
  const { kubelet, 'kube-proxy': kubeProxy } = binaries;
  if (kubelet === undefined || kubeProxy === undefined) {
    throw new LabError(
      'KUBEBUILDER_ASSETS has no kubelet or no kube-proxy: add them, or unset it, and they are built here',
    );
  }
  const containerd = await ensureGoTools(CONTAINER_TOOLS, log);
  const kubeRouter = join(await ensureGoTools(POLICY_TOOLS, log), 'kube-router');
  return { kubelet, kubeProxy, kubeRouter, containerd };
}
