import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../atomic-file.ts';
import { freePort } from '../free-port.ts';
import type { LabPaths } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import { isListening } from '../listening.ts';
import { daemonPid } from '../processes.ts';
import { API_SERVER, ETCD, KWOK } from './daemon-names.ts';

/** Where the control plane answers: all on 127.0.0.1, but the API server where it has another address. */
export interface KubePorts {
  /** Of the API server. */
  address: string;
  etcd: number;
  /** Where other members of etcd would come in; there are none. */
  etcdPeers: number;
  apiServer: number;
  /** Where kwok answers for the kubelets of all nodes. */
  kubelets: number;
}

/** What a lab of Kubernetes remembers from one `up` to the next. */
export interface KubeState {
  format: 'kube-2';
  createdAt: string;
  ports: KubePorts;
}

export function readKubeState(paths: LabPaths): KubeState | undefined {
  if (!existsSync(paths.stateFile)) return undefined;
  const state = JSON.parse(readFileSync(paths.stateFile, 'utf8')) as KubeState | { format: unknown };
  if (state.format !== 'kube-2') {
    throw new LabError(`${paths.directory} is not a lab of Kubernetes of this version`);
  }
  return state as KubeState;
}

export function writeKubeState(paths: LabPaths, ports: KubePorts, known: KubeState | undefined): KubeState {
  const createdAt = known?.createdAt ?? new Date().toISOString();
  const state: KubeState = { format: 'kube-2', createdAt, ports };
  writeFileAtomically(paths.stateFile, `${JSON.stringify(state, null, 2)}\n`, 0o644);
  return state;
}

const USUAL_PORT = 6443;
export const LOOPBACK = '127.0.0.1';

export const apiServerUrl = ({ address, apiServer }: KubePorts): string => `https://${address}:${apiServer}`;

/** Those of the last time, unless somebody else listens on one while the lab is stopped. */
export async function choosePorts(paths: LabPaths, address: string, known?: KubePorts): Promise<KubePorts> {
  const choose = async (port: number | undefined, daemon: string): Promise<number> => {
    if (port === undefined) return freePort();
    if (daemonPid(paths, daemon) !== undefined) return port;
    return (await isListening({ host: LOOPBACK, port })) ? freePort() : port;
  };
  return {
    address,
    etcd: await choose(known?.etcd, ETCD),
    etcdPeers: await choose(known?.etcdPeers, ETCD),
    // On an address of its own it has the port that network policies know.
    apiServer: address === LOOPBACK ? await choose(known?.apiServer, API_SERVER) : USUAL_PORT,
    kubelets: await choose(known?.kubelets, KWOK),
  };
}
