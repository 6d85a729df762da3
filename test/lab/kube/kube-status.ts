import { daemonPid } from '../processes.ts';
import { DAEMONS } from './daemon-names.ts';
import { defaultKubeDirectory, kubePaths } from './kube-directory.ts';
import type { KubePaths } from './kube-directory.ts';
import { apiServerUrl, readKubeState } from './kube-state.ts';
import type { KubePorts } from './kube-state.ts';
import { LAB_NODES } from './lab-nodes.ts';
import { readyNodes } from './ready-nodes.ts';
import { adminApi } from './users.ts';

export interface KubeStatus {
  dir: string;
  exists: boolean;
  /** All daemons run, and all nodes are ready. */
  healthy: boolean;
  url: string | undefined;
  daemons: { name: string; pid: number | undefined }[];
  /** `ready` is undefined where the API server does not answer. */
  nodes: { name: string; ready: boolean | undefined }[];
}

export async function kubeStatus(dir?: string): Promise<KubeStatus> {
  const paths = kubePaths(dir ?? defaultKubeDirectory());
  const state = readKubeState(paths.lab);
  const daemons = DAEMONS.map((name) => ({ name, pid: daemonPid(paths.lab, name) }));
  const ready = state === undefined ? undefined : await askForReadyNodes(paths, state.ports);
  const nodes = LAB_NODES.map(({ name }) => ({ name, ready: ready?.includes(name) }));
  return {
    dir: paths.lab.directory,
    exists: state !== undefined,
    healthy: daemons.every(({ pid }) => pid !== undefined) && nodes.every((node) => node.ready === true),
    url: state === undefined ? undefined : apiServerUrl(state.ports),
    daemons,
    nodes,
  };
}

async function askForReadyNodes(paths: KubePaths, ports: KubePorts): Promise<string[] | undefined> {
  try {
    return await readyNodes(adminApi(paths, ports));
  } catch {
    return undefined;
  }
}
