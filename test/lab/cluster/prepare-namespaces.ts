import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeLab } from '../kube/kube-lab.ts';

/** Charts, their releases, and the namespaces that these are in. */
export const BRAMBLE = 'bramble';
export const SLURM = 'slurm';
export const NETBOOT = 'netboot';
/** The claim of the shared storage, in the namespaces that want it. */
export const SHARED_CLAIM = 'shared';
/** The Secret with the URLs of what is outside. */
export const OUTSIDE = 'outside';

/** What an admin makes before the charts: namespaces, volumes, and Secrets. */
export async function prepareNamespaces(
  kube: KubeLab,
  about: { machine: string; storage: string; outside: Record<string, string> },
): Promise<void> {
  for (const [name, enforced] of [
    [SLURM, 'baseline'],
    [BRAMBLE, 'baseline'],
    [NETBOOT, 'privileged'],
  ] as const)
    await kube.api.create('/api/v1/namespaces', {
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': enforced } },
    });
  const state = join(kube.dir, 'slurm-state');
  mkdirSync(state, { recursive: true, mode: 0o755 });
  // Unlike a hostPath, it is given to the group of its pod.
  const onMachine = { key: 'kubernetes.io/hostname', operator: 'In', values: [about.machine] };
  await volume(kube, 'slurm-state', 'ReadWriteOnce', {
    local: { path: state },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onMachine] }] } },
    claimRef: { namespace: SLURM, name: 'state-slurm-0' },
  });
  for (const namespace of [BRAMBLE, NETBOOT]) {
    await volume(kube, `${SHARED_CLAIM}-${namespace}`, 'ReadWriteMany', {
      hostPath: { path: about.storage },
      claimRef: { namespace, name: SHARED_CLAIM },
    });
    await kube.api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
      metadata: { name: SHARED_CLAIM },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
      },
    });
  }
  await kube.api.create(`/api/v1/namespaces/${BRAMBLE}/secrets`, {
    metadata: { name: OUTSIDE },
    stringData: about.outside,
  });
}

const volume = (kube: KubeLab, name: string, mode: string, about: object): Promise<void> =>
  kube.api.create('/api/v1/persistentvolumes', {
    metadata: { name },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: [mode], persistentVolumeReclaimPolicy: 'Retain' },
      ...about,
    },
  });

/** Boards join with the key that Slurm's chart has made, and Bramble brings it to them. */
export async function copyMungeKey(kube: KubeLab): Promise<void> {
  const made = `/api/v1/namespaces/${SLURM}/secrets/slurm-munge`;
  const { data } = (await kube.api.get(made)) as { data: Record<string, string> };
  await kube.api.create(`/api/v1/namespaces/${BRAMBLE}/secrets`, { metadata: { name: 'munge' }, data });
}
