import { mkdirSync } from 'node:fs';
import { writeFileAtomically } from '../atomic-file.ts';
import { isListening } from '../listening.ts';
import { daemonPid, startDaemon, waitUntilReady } from '../processes.ts';
import type { Daemon } from '../processes.ts';
import { auditOptions } from './audit.ts';
import type { KubeBinaries } from './binaries.ts';
import type { Certificate } from './certificates.ts';
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER } from './daemon-names.ts';
import type { KubeApi } from './kube-api.ts';
import { KUBELET_KINDS } from './kubelet.ts';
import { kwokConfiguration } from './kwok-stages.ts';
import type { KubePaths } from './kube-directory.ts';
import { LOOPBACK } from './kube-state.ts';
import type { KubePorts } from './kube-state.ts';
import { PATIENCE_MS } from '../../patience.ts';

/** What all of the control plane is started with. */
export interface ControlPlane {
  paths: KubePaths;
  ports: KubePorts;
  binaries: KubeBinaries;
  authority: Certificate;
  servers: { etcd: Certificate; apiServer: Certificate; kubelets: Certificate };
  /** What the API server shows to kubelets. */
  kubeletsClient: Certificate;
  serviceAccountKey: string;
  /** Whether the API server writes down what service accounts ask. */
  audit: boolean;
  /** Files, by user. */
  kubeconfigs: { controllerManager: string; scheduler: string; kwok: string };
}

/** The first of the services' addresses is the API server's own. */
export const API_SERVER_SERVICE = '10.43.0.1';
/** It takes three seconds, and longer where others keep the processors busy. */
export const START_TIMEOUT_MS = PATIENCE_MS;

/** Only who has a certificate of the lab's authority is answered, on loopback too: other users of the machine have none. */
export async function startEtcd({ paths, ports, binaries, authority, servers }: ControlPlane): Promise<void> {
  mkdirSync(paths.etcd, { recursive: true, mode: 0o700 });
  const clients = `https://${LOOPBACK}:${ports.etcd}`;
  const peers = `https://${LOOPBACK}:${ports.etcdPeers}`;
  const { certificate, key } = servers.etcd;
  const tls = (prefix: string): string[] => [
    `--${prefix}client-cert-auth`,
    `--${prefix}trusted-ca-file=${authority.certificate}`,
    `--${prefix}cert-file=${certificate}`,
    `--${prefix}key-file=${key}`,
  ];
  start(paths, {
    name: ETCD,
    command: binaries[ETCD],
    commandArguments: [
      ...['--name=lab', `--data-dir=${paths.etcd}`, '--logger=zap', '--log-level=warn'],
      ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`, ...tls('')],
      ...[`--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`, ...tls('peer-')],
      `--initial-cluster=lab=${peers}`,
    ],
    // etcd 3.4 of Debian 12 ends at once on other processors than amd64 unless it is told so: etcdmain/etcd.go.
    ...(process.arch === 'arm64' ? { environment: { ETCD_UNSUPPORTED_ARCH: 'arm64' } } : {}),
  });
  await waitUntilReady(paths.lab, ETCD, () => isListening({ host: LOOPBACK, port: ports.etcd }), 20);
}

export async function startApiServer(
  { paths, ports, binaries, authority, servers, kubeletsClient, serviceAccountKey, audit }: ControlPlane,
  api: KubeApi,
): Promise<void> {
  start(paths, {
    name: API_SERVER,
    command: binaries[API_SERVER],
    commandArguments: [
      ...[`--bind-address=${ports.address}`, `--advertise-address=${ports.address}`],
      `--secure-port=${ports.apiServer}`,
      ...(ports.address === LOOPBACK
        ? // An address of loopback may be no endpoint of the service `kubernetes`. Commands and logs of pods are asked of
          // kwok; the other addresses of its nodes are nobody's.
          ['--endpoint-reconciler-type=none', '--kubelet-preferred-address-types=ExternalIP']
        : ['--kubelet-preferred-address-types=InternalIP']),
      `--etcd-servers=https://${LOOPBACK}:${ports.etcd}`,
      `--etcd-cafile=${authority.certificate}`,
      `--etcd-certfile=${servers.etcd.certificate}`,
      `--etcd-keyfile=${servers.etcd.key}`,
      `--tls-cert-file=${servers.apiServer.certificate}`,
      `--tls-private-key-file=${servers.apiServer.key}`,
      `--client-ca-file=${authority.certificate}`,
      `--kubelet-certificate-authority=${authority.certificate}`,
      `--kubelet-client-certificate=${kubeletsClient.certificate}`,
      `--kubelet-client-key=${kubeletsClient.key}`,
      ...['--anonymous-auth=false', '--authorization-mode=Node,RBAC', '--profiling=false'],
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      '--service-cluster-ip-range=10.43.0.0/16',
      '--allow-privileged',
      '--feature-gates=WatchList=false,WatchListClient=false',
      ...(audit ? auditOptions(paths.lab.directory) : []),
    ],
  });
  await waitUntilReady(paths.lab, API_SERVER, () => isReady(api), 100, START_TIMEOUT_MS);
}

/** Neither listens anywhere. */
export function startControllers(controlPlane: ControlPlane): void {
  const { paths, binaries, kubeconfigs, authority, serviceAccountKey } = controlPlane;
  start(paths, {
    name: CONTROLLER_MANAGER,
    command: binaries[CONTROLLER_MANAGER],
    commandArguments: [
      `--kubeconfig=${kubeconfigs.controllerManager}`,
      `--service-account-private-key-file=${serviceAccountKey}`,
      `--root-ca-file=${authority.certificate}`,
      ...['--use-service-account-credentials', '--leader-elect=false', '--secure-port=0'],
      // With the usual 20 questions a second each of its controllers waits for the one before: four seconds in all.
      ...['--kube-api-qps=500', '--kube-api-burst=500'],
      '--feature-gates=WatchListClient=false',
    ],
  });
  start(paths, {
    name: SCHEDULER,
    command: binaries[SCHEDULER],
    commandArguments: [
      `--kubeconfig=${kubeconfigs.scheduler}`,
      ...['--leader-elect=false', '--secure-port=0'],
      '--feature-gates=WatchListClient=false',
    ],
  });
}

/** For all nodes at once. */
export function startKubelets({ paths, ports, binaries, kubeconfigs, servers }: ControlPlane): void {
  writeFileAtomically(paths.kwok, kwokConfiguration(), 0o644);
  start(paths, {
    name: KWOK,
    command: binaries[KWOK],
    commandArguments: [
      `--kubeconfig=${kubeconfigs.kwok}`,
      `--config=${paths.kwok}`,
      ...['--manage-all-nodes', '--cidr=10.42.0.0/16', '--node-lease-duration-seconds=40'],
      ...[`--server-address=${LOOPBACK}:${ports.kubelets}`, `--enable-crds=${KUBELET_KINDS}`],
      `--tls-cert-file=${servers.kubelets.certificate}`,
      `--tls-private-key-file=${servers.kubelets.key}`,
    ],
  });
}

/**
 * Lists as streams take an etcd from 3.4.25 on, and Debian 12 has an older one: clients would try in vain for seconds.
 * Memory is cheaper here than looking for what is not used any more.
 */
const ENVIRONMENT = { KUBE_FEATURE_WatchListClient: 'false', GOGC: '400' };

function start(paths: KubePaths, daemon: Daemon): void {
  if (daemonPid(paths.lab, daemon.name) !== undefined) return;
  startDaemon(paths.lab, {
    ...daemon,
    environment: { ...ENVIRONMENT, HOME: paths.lab.directory, ...daemon.environment },
  });
}

async function isReady(api: KubeApi): Promise<boolean> {
  try {
    return (await api.ask('GET', '/readyz')).status === 200;
  } catch {
    return false;
  }
}
