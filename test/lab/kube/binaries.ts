import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { LabError } from '../lab-error.ts';
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER } from './daemon-names.ts';
import { ensureGoTools } from './go-tools.ts';
import type { GoTools } from './go-tools.ts';

/** The paths of the programs. */
export interface KubeBinaries {
  [ETCD]: string;
  [API_SERVER]: string;
  [CONTROLLER_MANAGER]: string;
  [SCHEDULER]: string;
  [KWOK]: string;
  helm: string;
  /** What a machine needs that runs pods; undefined where `KUBEBUILDER_ASSETS` has none. */
  kubelet: string | undefined;
  'kube-proxy': string | undefined;
}

const BUILT = [API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK, 'helm'] as const;
const OF_MACHINES = ['kubelet', 'kube-proxy'] as const;

const TOOLS: GoTools = {
  module: fileURLToPath(new URL('tools', import.meta.url)),
  programs: [...BUILT, ...OF_MACHINES],
  // Charts with a `kubeVersion` refuse `v0.0.0-master`, and Helm has no patch level.
  linked: (goMod) => {
    const kubernetes = goMod.versionOf('k8s.io/kubernetes');
    const [major = '', minor = ''] = kubernetes.slice(1).split('.');
    return [
      `k8s.io/component-base/version.gitVersion=${kubernetes}`,
      `k8s.io/component-base/version.gitMajor=${major}`,
      `k8s.io/component-base/version.gitMinor=${minor}`,
      `helm.sh/helm/v4/internal/version.version=${goMod.versionOf('helm.sh/helm/v4')}`,
    ];
  },
  duration: 'about 9 minutes on two cores',
};

/**
 * The programs of a control plane: those of `KUBEBUILDER_ASSETS` where that is set, else ones that are built here from
 * `tools/go.mod`, once for all checkouts, and etcd from Debian.
 *
 * @throws LabError when `KUBEBUILDER_ASSETS` lacks one, or the build fails.
 */
export async function ensureBinaries(log: Log): Promise<KubeBinaries> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets !== undefined && assets !== '') return binariesOf(assets);
  await ensureDebianPackages('kube', log);
  return binariesIn(await ensureGoTools(TOOLS, log), '/usr/bin/etcd');
}

async function binariesOf(assets: string): Promise<KubeBinaries> {
  const missing = [ETCD, ...BUILT].filter((name) => !existsSync(join(assets, name)));
  if (missing.length > 0) {
    throw new LabError(
      `KUBEBUILDER_ASSETS is ${assets}, and there is no ${missing.join(', ')} in it. Add what is missing, or unset the ` +
        'variable: then all is built here.',
    );
  }
  await ensureOpenssl();
  return binariesIn(assets, join(assets, ETCD));
}

async function ensureOpenssl(): Promise<void> {
  await runOrThrow(['openssl', 'version']).catch((error: unknown) => {
    throw new LabError('openssl is missing; install the package openssl', { cause: error });
  });
}

function binariesIn(directory: string, etcd: string): KubeBinaries {
  const ofMachines = (name: string): string | undefined =>
    existsSync(join(directory, name)) ? join(directory, name) : undefined;
  return {
    [ETCD]: etcd,
    [API_SERVER]: join(directory, API_SERVER),
    [CONTROLLER_MANAGER]: join(directory, CONTROLLER_MANAGER),
    [SCHEDULER]: join(directory, SCHEDULER),
    [KWOK]: join(directory, KWOK),
    helm: join(directory, 'helm'),
    kubelet: ofMachines('kubelet'),
    'kube-proxy': ofMachines('kube-proxy'),
  };
}
