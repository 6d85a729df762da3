import { dirname, join } from 'node:path';
import { defaultLabDirectory, labPaths } from '../lab-directory.ts';
import type { LabPaths } from '../lab-directory.ts';

/** The programs of the control plane, for all checkouts of the machine. `down` leaves it. */
export const SHARED_DIRECTORY = '/var/tmp/bramble-kube';

/** Where each thing of a lab of Kubernetes lies. */
export interface KubePaths {
  /** State file, logs, pid records and lock lie as in the Slurm lab. */
  lab: LabPaths;
  /** etcd's data. */
  etcd: string;
  /** Keys and certificates. Only root may enter. */
  certificates: string;
  /** One kubeconfig a user. Only root may enter. */
  kubeconfigs: string;
  /** kwok's configuration. */
  kwok: string;
  /** What Helm remembers. */
  helm: string;
}

/** Beside the Slurm lab of this checkout, or in `BRAMBLE_LAB_DIR` with `-kube` behind it. */
export function defaultKubeDirectory(): string {
  return process.env.BRAMBLE_LAB_DIR
    ? `${process.env.BRAMBLE_LAB_DIR}-kube`
    : join(dirname(defaultLabDirectory()), 'kube');
}

export function kubePaths(directory: string): KubePaths {
  return {
    lab: labPaths(directory),
    etcd: join(directory, 'etcd'),
    certificates: join(directory, 'certificates'),
    kubeconfigs: join(directory, 'kubeconfigs'),
    kwok: join(directory, 'kwok.yaml'),
    helm: join(directory, 'helm'),
  };
}
