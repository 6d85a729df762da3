import type { ApiObject } from './api-object.ts';
import type { ApiPod, ApiReplicaSet, ApiStatefulSet, WorkloadKind } from './workloads.ts';

const REVISION = 'deployment.kubernetes.io/revision';
/** Deprecated for a decade, and still the only mark that a daemon set and its pods share: pkg/controller/daemon. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
const POD_TEMPLATE_GENERATION = 'pod-template-generation';
const REVISION_HASH = 'controller-revision-hash';

/** A workload's pods: those of its present revision, and those that are still of an older one. */
export interface WorkloadPods {
  current: ApiPod[];
  old: ApiPod[];
}

export const isOwnedBy = ({ metadata }: ApiObject, uid: string | undefined): boolean =>
  uid !== undefined && metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;

/** The replica set of a deployment's present revision. */
export const presentReplicaSet = (
  { metadata }: ApiObject,
  replicaSets: readonly ApiReplicaSet[],
): ApiReplicaSet | undefined =>
  replicaSets.find(
    (set) =>
      isOwnedBy(set, metadata.uid) &&
      set.metadata.annotations?.[REVISION] === metadata.annotations?.[REVISION],
  );

/** By who owns them: labels of charts are like one another. */
export function podsOf(
  kind: WorkloadKind,
  live: ApiObject,
  pods: readonly ApiPod[],
  replicaSets: readonly ApiReplicaSet[],
): WorkloadPods {
  const own = pods.filter((pod) => isOwnedBy(pod, live.metadata.uid));
  switch (kind) {
    case 'Deployment': {
      const present = presentReplicaSet(live, replicaSets);
      return { current: pods.filter((pod) => isOwnedBy(pod, present?.metadata.uid)), old: [] };
    }
    case 'StatefulSet': {
      const revision = (live as ApiStatefulSet).status?.updateRevision;
      return split(own, ({ metadata }) => metadata.labels?.[REVISION_HASH] === revision);
    }
    case 'DaemonSet': {
      const generation = live.metadata.annotations?.[TEMPLATE_GENERATION];
      return split(own, ({ metadata }) => metadata.labels?.[POD_TEMPLATE_GENERATION] === generation);
    }
    case 'ReplicaSet':
    case 'Job':
      return { current: own, old: [] };
    case 'Pod':
      return { current: [live as ApiPod], old: [] };
    case 'PersistentVolumeClaim':
      return { current: [], old: [] };
  }
}

const split = (pods: readonly ApiPod[], isCurrent: (pod: ApiPod) => boolean): WorkloadPods => ({
  current: pods.filter(isCurrent),
  old: pods.filter((pod) => !isCurrent(pod)),
});
