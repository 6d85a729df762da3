import { TEST_LAB_DIRECTORY } from '../test-lab.ts';
import { kubeDown, kubeUp } from './kube-lab.ts';
import type { KubeLab } from './kube-lab.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-kube`;

/** The first time on a machine the programs are built. */
export const BUILD_TIMEOUT_MS = 45 * 60_000;

/**
 * One control plane for all specs that stop nothing of it and list nothing of the whole cluster. What they make is in
 * namespaces of their own, and has names of their own where it is in none. It goes when the run is over.
 */
export const sharedControlPlane = (): Promise<KubeLab> => kubeUp({ dir: DIRECTORY });

export const sharedControlPlaneDown = (): Promise<void> => kubeDown(DIRECTORY);
