import { existsSync, mkdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../../scripts/debian-packages.ts';
import { timed } from '../../costs/ledger.ts';
import { createLabDirectory, removeEmptyParent, removeLabDirectory } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import { withLabLock } from '../lab-lock.ts';
import { daemonPid, killDaemon, signal, startedDaemons, stopDaemon, waitUntilReady } from '../processes.ts';
import { waitUntil } from '../waiting.ts';
import type { LabPaths } from '../lab-directory.ts';
import type { CommandResult } from '../slurm-client.ts';
import { ensureBinaries } from './binaries.ts';
import type { KubeBinaries } from './binaries.ts';
import {
  authorityOf,
  ensureAuthority,
  ensureServerCertificate,
  ensureServiceAccountKey,
  ensureUserCertificate,
} from './certificates.ts';
import type { Certificate } from './certificates.ts';
import { API_SERVER, DAEMONS, KWOK } from './daemon-names.ts';
import {
  API_SERVER_SERVICE,
  START_TIMEOUT_MS,
  startApiServer,
  startControllers,
  startEtcd,
  startKubelets,
} from './daemons.ts';
import type { ControlPlane } from './daemons.ts';
import { runHelm } from './helm.ts';
import type { KubeApi } from './kube-api.ts';
import { defaultKubeDirectory, kubePaths } from './kube-directory.ts';
import type { KubePaths } from './kube-directory.ts';
import { LOOPBACK, apiServerUrl, choosePorts, readKubeState, writeKubeState } from './kube-state.ts';
import type { KubePorts } from './kube-state.ts';
import { startExecKubelet } from './exec-kubelet.ts';
import type { ExecProtocol } from './exec-kubelet.ts';
import { printLines, registerKubeletKinds } from './kubelet.ts';
import type { LabContainer } from './kubelet.ts';
import { LAB_NODES, nodeObject } from './lab-nodes.ts';
import { endMachines } from './machine/machine.ts';
import { readyNodes } from './ready-nodes.ts';
import {
  ADMIN,
  ADMINS,
  KUBELETS_CLIENT,
  adminApi,
  writeAccountKubeconfig,
  writeKubeconfig,
} from './users.ts';

export { LabError } from '../lab-error.ts';
export { kubeStatus } from './kube-status.ts';
export type { KubeStatus } from './kube-status.ts';
export type { KubeApi } from './kube-api.ts';
export { LAB_NODES } from './lab-nodes.ts';

/**
 * A real Kubernetes control plane. Its nodes and pods are make-believe: they become ready, and run nothing by themselves;
 * where it has an address there is no node, until a machine joins, and what is told of kwok below does not hold.
 */
export interface KubeLab {
  dir: string;
  /** Where its parts lie, for what belongs to it. */
  lab: LabPaths;
  /** Of the API server. */
  url: string;
  /** An admin's, with everything in it: address, authority, certificate and key. */
  kubeconfig: string;
  /** The PEM file of the authority that has signed the API server's certificate, and all users'. */
  authority: string;
  /** As an admin. */
  api: KubeApi;
  binaries: KubeBinaries;
  /** A certificate of the authority for a server of the lab at this address. */
  serverCertificate(name: string, address: string): Promise<Certificate>;
  /** Runs Helm as an admin, with directories of the lab's own. Any exit code is an answer. */
  helm(...commandArguments: string[]): Promise<CommandResult>;
  /** The kubeconfig of another user; what it may do is up to the groups and to the roles that a test binds. */
  kubeconfigOf(user: string, groups?: readonly string[]): Promise<string>;
  /** The kubeconfig of a service account that is there, with a token as its pods get one. */
  kubeconfigOfAccount(account: { namespace: string; name: string }): Promise<string>;
  /**
   * From now on, until it is closed, commands that `pods/exec` brings to pods of the node run on this machine, as root.
   * What such pods print is not to be had meanwhile.
   */
  runCommandsOf(node: string, protocols?: readonly ExecProtocol[]): Promise<{ close(): Promise<void> }>;
  /** Adds lines to what `pods/log` serves of a container, or with `previous` of the one before its last restart. */
  printLines(
    container: LabContainer,
    lines: readonly string[],
    options?: { previous?: boolean },
  ): Promise<void>;
  /** As a crash would. Stopped in order it waits for its clients, which takes ten seconds. */
  killApiServer(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  startApiServer(): Promise<void>;
  /** Connections are accepted, and nobody answers. */
  freezeApiServer(): void;
  thawApiServer(): void;
}

export interface KubeOptions {
  /** Default: beside the Slurm lab of this checkout. Absolute, at most 56 plain characters. */
  dir?: string;
  /** Of a lab that does not run yet: whether it writes down what service accounts ask, for `usedRights`. Default: no. */
  audit?: boolean;
  /** Of this computer, where machines reach the API server: then no node is pretended. Default: 127.0.0.1. */
  address?: string;
  log?: Log;
}

/**
 * Makes the control plane and its nodes, or heals them: what runs is left alone. The first call on a machine installs
 * Debian packages and builds the programs, in minutes. Needs root.
 *
 * @throws LabError when root is missing, the build fails, or something does not start.
 */
export async function kubeUp(options: KubeOptions = {}): Promise<KubeLab> {
  const paths = kubePaths(options.dir ?? defaultKubeDirectory());
  const log = options.log ?? (() => undefined);
  assertRoot();
  const binaries = await ensureBinaries(log);
  return timed('control plane', () => withLabLock(paths.lab, () => bringUp(paths, binaries, options, log)));
}

/** Ends the control plane and removes all that `up` has made. Does nothing when there is none. */
export async function kubeDown(dir?: string, log: Log = () => undefined): Promise<void> {
  const paths = kubePaths(dir ?? defaultKubeDirectory());
  assertRoot();
  await withLabLock(paths.lab, async () => {
    const existed = existsSync(paths.lab.directory);
    await endMachines(paths.lab);
    await stopDaemons(paths);
    removeLabDirectory(paths.lab);
    log(existed ? `Removed ${paths.lab.directory}` : `There is no Kubernetes in ${paths.lab.directory}`);
  });
  removeEmptyParent(paths.lab);
}

/** First those that others have started beside it, such as a registry. */
async function stopDaemons({ lab }: KubePaths): Promise<void> {
  const own = new Set<string>(DAEMONS);
  const beside = startedDaemons(lab).filter((name) => !own.has(name));
  for (const name of [...beside, ...DAEMONS.toReversed()]) await stopDaemon(lab, name);
}

/** The state is written before anything is made of it. */
async function bringUp(
  paths: KubePaths,
  binaries: KubeBinaries,
  { audit = false, address = LOOPBACK }: KubeOptions,
  log: Log,
): Promise<KubeLab> {
  createLabDirectory(paths.lab);
  const known = readKubeState(paths.lab);
  const ports = await choosePorts(paths.lab, address, known?.ports);
  // What still runs would go on asking where nobody of this lab listens any more.
  if (known !== undefined && !isDeepStrictEqual(ports, known.ports)) await stopDaemons(paths);
  writeKubeState(paths.lab, ports, known);
  for (const directory of [paths.lab.logs, paths.lab.pids])
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const directory of [paths.certificates, paths.kubeconfigs, paths.helm])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = await ensureAuthority(paths.certificates);
  const url = apiServerUrl(ports);
  const user = (name: string, ...groups: string[]) => writeKubeconfig(paths, url, name, groups);
  const [etcd, apiServer, kubelets, kubeletsClient, admin, controllerManager, scheduler, kwok] =
    await Promise.all([
      ensureServerCertificate(paths.certificates, 'etcd'),
      ensureServerCertificate(paths.certificates, 'kube-apiserver', [API_SERVER_SERVICE, address]),
      ensureServerCertificate(paths.certificates, 'kubelets'),
      ensureUserCertificate(paths.certificates, KUBELETS_CLIENT, []),
      user(ADMIN, ADMINS),
      user('system:kube-controller-manager'),
      user('system:kube-scheduler'),
      user('kwok', ADMINS),
    ]);
  const controlPlane: ControlPlane = {
    ...{ paths, ports, binaries, authority, audit },
    servers: { etcd, apiServer, kubelets },
    kubeletsClient,
    serviceAccountKey: ensureServiceAccountKey(paths.certificates),
    kubeconfigs: { controllerManager, scheduler, kwok },
  };
  const api = adminApi(paths, ports);
  await startEtcd(controlPlane);
  await startApiServer(controlPlane, api);
  startControllers(controlPlane);
  if (address === LOOPBACK) await pretendNodes(controlPlane, api);
  await waitUntil('service accounts', () => hasAccounts(api), {
    timeoutMs: START_TIMEOUT_MS,
    intervalMs: 100,
  });
  log(`Kubernetes is up in ${paths.lab.directory}: ${url}`);
  return kubeLab(controlPlane, api, { url, admin });
}

async function pretendNodes(controlPlane: ControlPlane, api: KubeApi): Promise<void> {
  const { paths, ports } = controlPlane;
  await Promise.all([register(api, ports), registerKubeletKinds(api)]);
  startKubelets(controlPlane);
  await waitUntilReady(paths.lab, KWOK, () => areReady(api), 100, START_TIMEOUT_MS);
}

const ALL_PROTOCOLS: readonly ExecProtocol[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

async function register(api: KubeApi, { kubelets }: KubePorts): Promise<void> {
  const { gitVersion } = (await api.get('/version')) as { gitVersion: string };
  await Promise.all(
    LAB_NODES.map(async (node) => {
      await api.create('/api/v1/nodes', nodeObject(node, `${gitVersion}+k3s1`));
      await setKubelet(api, node.name, kubelets, null);
    }),
  );
}

function setKubelet(api: KubeApi, node: string, port: number, features: string[] | null): Promise<void> {
  const daemonEndpoints = { kubeletEndpoint: { Port: port } };
  return api.patch(`/api/v1/nodes/${node}/status`, {
    status: { daemonEndpoints, declaredFeatures: features },
  });
}

async function runCommandsOf(
  { authority, servers, ports }: ControlPlane,
  api: KubeApi,
  node: string,
  protocols: readonly ExecProtocol[],
): Promise<{ close(): Promise<void> }> {
  const own = servers.kubelets;
  const kubelet = await startExecKubelet({ authority, own, client: KUBELETS_CLIENT, protocols });
  // Without that feature the API server would speak SPDY to it.
  await setKubelet(api, node, kubelet.port, ['ExtendWebSocketsToKubelet']);
  return {
    close: async () => {
      kubelet.close();
      await setKubelet(api, node, ports.kubelets, null);
    },
  };
}

async function areReady(api: KubeApi): Promise<boolean> {
  try {
    const ready = await readyNodes(api);
    return LAB_NODES.every(({ name }) => ready.includes(name));
  } catch {
    return false;
  }
}

/** Pods are refused as long as their namespace has no service account. */
async function hasAccounts(api: KubeApi): Promise<boolean> {
  const { status } = await api.ask('GET', '/api/v1/namespaces/default/serviceaccounts/default');
  return status === 200;
}

function kubeLab(controlPlane: ControlPlane, api: KubeApi, about: { url: string; admin: string }): KubeLab {
  const { paths, binaries } = controlPlane;
  const { url, admin } = about;
  return {
    ...{ dir: paths.lab.directory, lab: paths.lab, url, kubeconfig: admin, api, binaries },
    authority: authorityOf(paths.certificates).certificate,
    serverCertificate: (name, address) => ensureServerCertificate(paths.certificates, name, [address]),
    helm: (...commandArguments) => runHelm(binaries.helm, paths.helm, admin, commandArguments),
    kubeconfigOf: (user, groups = []) => writeKubeconfig(paths, url, user, groups),
    kubeconfigOfAccount: (account) => writeAccountKubeconfig(paths, url, api, account),
    runCommandsOf: (node, protocols = ALL_PROTOCOLS) => runCommandsOf(controlPlane, api, node, protocols),
    printLines: (container, lines, options) => printLines(api, paths, container, lines, options),
    killApiServer: () => killDaemon(paths.lab, API_SERVER),
    startApiServer: () => startApiServer(controlPlane, api),
    freezeApiServer: () => signal(apiServerPid(paths), 'SIGSTOP'),
    thawApiServer: () => signal(apiServerPid(paths), 'SIGCONT'),
  };
}

function apiServerPid(paths: KubePaths): number {
  const pid = daemonPid(paths.lab, API_SERVER);
  if (pid === undefined) throw new LabError('kube-apiserver does not run');
  return pid;
}

function assertRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new LabError('The lab of Kubernetes takes root; run it with sudo');
  }
}
