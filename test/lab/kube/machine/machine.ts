import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../../scripts/debian-packages.ts';
import { writeFileAtomically } from '../../atomic-file.ts';
import { ALL_HIERARCHIES, endCgroups } from '../../boards/cgroups.ts';
import { runOrThrow } from '../../boards/command.ts';
import { isMounted, unmountBelow } from '../../boards/mounts.ts';
import type { LabPaths } from '../../lab-directory.ts';
import { LabError } from '../../lab-error.ts';
import { daemonPid, killDaemon, startDaemon } from '../../processes.ts';
import { waitUntil } from '../../waiting.ts';
import type { KubeLab } from '../kube-lab.ts';
import {
  CLUSTER_DOMAIN,
  REGISTRY_NAME,
  containerdConfiguration,
  kubeletConfiguration,
  networkConfiguration,
  proxyConfiguration,
  registryConfiguration,
} from './machine-configuration.ts';
import { machinePaths, machinesDirectory } from './machine-paths.ts';
import type { MachinePaths } from './machine-paths.ts';
import { ensureMachinePrograms } from './machine-programs.ts';
import { startScript } from './start-script.ts';
import { PATIENCE_MS } from '../../../patience.ts';

/** A machine of the cluster that runs pods: containerd, kubelet, kube-proxy and kube-router, in namespaces of their own. */
export interface KubeMachine {
  name: string;
  address: string;
  /** What CoreDNS would do: from now on pods find the services that there are by their names. */
  publishNames(): Promise<void>;
  /** What MetalLB would do: answers for the address, and tells the service that it has it. */
  giveAddress(service: { namespace: string; name: string; address: string }): Promise<void>;
}

export interface MachineOptions {
  name: string;
  /** A bridge of this computer, and the machine's address on it, such as 10.213.7.2. */
  bridge: string;
  address: string;
  /** Host and port of the registry that is `registry.home.lab`. */
  registry: string;
  log?: Log;
}

const READY_WITHIN_MS = PATIENCE_MS;

/**
 * Makes a machine and lets it join a cluster that was started with an address on the same bridge.
 *
 * @throws LabError when it does not become ready; its logs lie in its directory.
 */
export async function joinMachine(cluster: KubeLab, options: MachineOptions): Promise<KubeMachine> {
  const { name, address, bridge, registry } = options;
  const log = options.log ?? (() => undefined);
  const programs = await ensureMachinePrograms(cluster.binaries, log);
  const paths = machinePaths(cluster.dir, name);
  const registryDirectory = join(paths.registries, REGISTRY_NAME);
  for (const directory of [paths.networkConfiguration, registryDirectory, paths.names, paths.kubelet])
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  await makeCable(paths, bridge, address);
  const [own, kubeconfig, proxyKubeconfig, policies] = await Promise.all([
    cluster.serverCertificate(`machine-${name}`, address),
    cluster.kubeconfigOf(`system:node:${name}`, ['system:nodes']),
    cluster.kubeconfigOf('system:kube-proxy'),
    cluster.kubeconfigOf('kube-router', ['system:masters']),
  ]);
  const files: [string, string | object][] = [
    [paths.containerdConfiguration, containerdConfiguration(paths)],
    [join(paths.networkConfiguration, 'lab.conflist'), networkConfiguration(paths)],
    [join(registryDirectory, 'hosts.toml'), registryConfiguration(registry)],
    [paths.kubeletConfiguration, kubeletConfiguration(paths, { address, authority: cluster.authority, own })],
    [paths.proxyConfiguration, proxyConfiguration(name, proxyKubeconfig)],
    [paths.resolver, ''],
    [paths.start, startScript(paths, programs, { name, address, kubeconfig, policies })],
  ];
  for (const [file, content] of files)
    writeFileAtomically(file, typeof content === 'string' ? content : JSON.stringify(content), 0o600);
  start(cluster.lab, paths, name);
  await waitUntil(`${name} to be ready`, () => isReady(cluster, name), {
    timeoutMs: READY_WITHIN_MS,
    intervalMs: 200,
    onTimeout: () => `see the logs in ${paths.directory}`,
  });
  log(`${name} is ready at ${address}`);
  return {
    name,
    address,
    publishNames: () => publishNames(cluster, paths),
    giveAddress: async ({ namespace, name: service, address: given }) => {
      await inNetwork(paths, 'ip', 'address', 'replace', `${given}/32`, 'dev', 'eth0');
      await cluster.api.patch(`/api/v1/namespaces/${namespace}/services/${service}/status`, {
        status: { loadBalancer: { ingress: [{ ip: given, ipMode: 'VIP' }] } },
      });
    },
  };
}

/** Ends the machines of a cluster with all that runs on them. Does nothing where there is none. */
export async function endMachines(lab: LabPaths): Promise<void> {
  const directory = machinesDirectory(lab.directory);
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const paths = machinePaths(lab.directory, name);
    await killDaemon(lab, daemonOf(name));
    await endCgroups(paths.cgroup, ALL_HIERARCHIES);
    await unmountBelow(paths.directory);
  }
}

const daemonOf = (name: string): string => `machine-${name}`;

/** All that is in its process namespace ends with its process 1, and that one with what has started it. */
function start(lab: LabPaths, paths: MachinePaths, name: string): void {
  if (daemonPid(lab, daemonOf(name)) !== undefined) return;
  startDaemon(lab, {
    name: daemonOf(name),
    command: '/usr/bin/nsenter',
    commandArguments: [
      `--net=${paths.networkNamespace}`,
      ...['unshare', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--mount', '--uts', '--ipc'],
      ...['--propagation', 'slave', '--', 'bash', paths.start],
    ],
  });
}

/** A network namespace, and a cable from it to the bridge. */
async function makeCable({ networkNamespace }: MachinePaths, bridge: string, address: string): Promise<void> {
  if (isMounted(networkNamespace)) return;
  writeFileSync(networkNamespace, '');
  await runOrThrow(['unshare', `--net=${networkNamespace}`, 'true']);
  const cable = `${bridge}-k${address.split('.').at(-1) ?? ''}`;
  const end = ['name', 'eth0', 'netns', networkNamespace];
  await runOrThrow(['ip', 'link', 'add', cable, 'type', 'veth', 'peer', ...end]);
  await runOrThrow(['ip', 'link', 'set', cable, 'master', bridge, 'up']);
  const inside = (...argv: string[]) => runOrThrow(['nsenter', `--net=${networkNamespace}`, 'ip', ...argv]);
  await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
  for (const link of ['lo', 'eth0']) await inside('link', 'set', link, 'up');
  // kube-proxy's addresses of services go nowhere else, but the kernel wants to know where before it changes them.
  await inside('route', 'add', 'default', 'dev', 'eth0');
}

const inNetwork = ({ networkNamespace }: MachinePaths, ...argv: string[]): Promise<string> =>
  runOrThrow(['nsenter', `--net=${networkNamespace}`, ...argv]);

async function publishNames({ api }: KubeLab, { names }: MachinePaths): Promise<void> {
  interface Service {
    metadata: { namespace: string; name: string };
    spec: { clusterIP: string };
  }
  const { items } = (await api.get('/api/v1/services')) as { items: Service[] };
  const lines = items
    .filter(({ spec }) => spec.clusterIP !== 'None')
    .map(
      ({ metadata, spec }) =>
        `${spec.clusterIP} ${metadata.name}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}\n`,
    );
  // dnsmasq watches the directory.
  writeFileAtomically(join(names, 'services'), lines.join(''), 0o644);
}

async function isReady(cluster: KubeLab, name: string): Promise<boolean> {
  if (daemonPid(cluster.lab, daemonOf(name)) === undefined)
    throw new LabError(
      `${name} ended right after its start; see ${machinePaths(cluster.dir, name).directory}`,
    );
  const { status, body } = await cluster.api.ask('GET', `/api/v1/nodes/${name}`);
  if (status !== 200) return false;
  const { conditions = [] } = (body as { status: { conditions?: { type: string; status: string }[] } })
    .status;
  return conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True');
}
