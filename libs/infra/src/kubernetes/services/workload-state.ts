import { type ApiObject, conditionOf } from './api-object.ts';
import {
  type ApiClaim,
  type ApiDaemonSet,
  type ApiDeployment,
  type ApiJob,
  type ApiPod,
  type ApiReplicaSet,
  type ApiStatefulSet,
  type WorkloadKind,
  isObserved,
} from './workloads.ts';

/** How far something is, and in words. */
export interface Progress {
  ready: boolean;
  detail: string;
}

const NOT_OBSERVED: Progress = { ready: false, detail: 'The change has not been taken up yet' };

/**
 * How far a workload is, by the rules of `kubectl rollout status`: all of its present revision is there, available, and
 * nothing of the one before is left.
 * @param live undefined where the API server has none
 * @param bindsLate whether the claim waits for the first pod that uses it
 */
export function progressOf(kind: WorkloadKind, live: ApiObject | undefined, bindsLate: boolean): Progress {
  if (live === undefined) return { ready: false, detail: 'It is not there' };
  if (live.metadata.deletionTimestamp !== undefined) return { ready: false, detail: 'It is being removed' };
  switch (kind) {
    case 'Deployment':
      return deployment(live as ApiDeployment);
    case 'ReplicaSet':
      return replicaSet(live as ApiReplicaSet);
    case 'StatefulSet':
      return statefulSet(live as ApiStatefulSet);
    case 'DaemonSet':
      return daemonSet(live as ApiDaemonSet);
    case 'Job':
      return job(live as ApiJob);
    case 'Pod':
      return pod(live as ApiPod);
    case 'PersistentVolumeClaim':
      return claim(live as ApiClaim, bindsLate);
  }
}

function deployment({ metadata, spec, status }: ApiDeployment): Progress {
  if (!isObserved(metadata, status)) return NOT_OBSERVED;
  const wanted = spec.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  const available = status?.availableReplicas ?? 0;
  const old = Math.max(0, (status?.replicas ?? 0) - updated);
  const left = old === 0 ? '' : `, ${old} of the revision before ${old === 1 ? 'is' : 'are'} still there`;
  return {
    ready: updated >= wanted && old === 0 && available >= wanted,
    detail: `${replicas(Math.min(available, updated), wanted)}${left}`,
  };
}

function replicaSet({ metadata, spec, status }: ApiReplicaSet): Progress {
  if (!isObserved(metadata, status)) return NOT_OBSERVED;
  const wanted = spec.replicas ?? 1;
  const available = status?.availableReplicas ?? 0;
  return { ready: available >= wanted, detail: replicas(available, wanted) };
}

function statefulSet({ metadata, spec, status }: ApiStatefulSet): Progress {
  if (!isObserved(metadata, status)) return NOT_OBSERVED;
  const wanted = spec.replicas ?? 1;
  const available = status?.availableReplicas ?? 0;
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const toUpdate = type === 'OnDelete' ? 0 : Math.max(0, wanted - (rollingUpdate?.partition ?? 0));
  const isOneRevision = status?.updateRevision === status?.currentRevision;
  const updated = isOneRevision ? wanted : (status?.updatedReplicas ?? 0);
  const old = Math.max(0, toUpdate - updated);
  return {
    ready: old === 0 && available >= wanted,
    detail: `${replicas(available, wanted)}${old === 0 ? '' : `, ${old} to be replaced`}`,
  };
}

function daemonSet({ metadata, spec, status }: ApiDaemonSet): Progress {
  if (!isObserved(metadata, status)) return NOT_OBSERVED;
  const wanted = status?.desiredNumberScheduled ?? 0;
  if (wanted === 0) return { ready: true, detail: 'No node is meant for it' };
  const available = status?.numberAvailable ?? 0;
  const updated = spec.updateStrategy?.type === 'OnDelete' ? wanted : (status?.updatedNumberScheduled ?? 0);
  return {
    ready: updated >= wanted && available >= wanted,
    detail: `It is ready on ${Math.min(available, updated)} of ${wanted} ${wanted === 1 ? 'node' : 'nodes'}`,
  };
}

function job({ spec, status }: ApiJob): Progress {
  const completions = spec.completions ?? spec.parallelism ?? 1;
  const conditions = status?.conditions;
  if (conditionOf(conditions, 'Complete')?.status === 'True') return { ready: true, detail: 'It is done' };
  if (conditionOf(conditions, 'Failed')?.status === 'True') return { ready: false, detail: 'It has failed' };
  if (spec.suspend === true) return { ready: true, detail: 'It is suspended' };
  return { ready: false, detail: `${status?.succeeded ?? 0} of ${completions} runs have succeeded` };
}

function pod({ status }: ApiPod): Progress {
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Succeeded') return { ready: true, detail: 'It is done' };
  const ready = conditionOf(status?.conditions, 'Ready')?.status === 'True';
  return { ready, detail: ready ? 'It is ready' : `It is not ready: ${phase}` };
}

function claim({ status }: ApiClaim, bindsLate: boolean): Progress {
  if (status?.phase === 'Bound') return { ready: true, detail: 'It is bound' };
  if (status?.phase === 'Lost') return { ready: false, detail: 'Its volume is lost' };
  return bindsLate
    ? { ready: true, detail: 'It is bound when the first pod uses it' }
    : { ready: false, detail: 'It is not bound yet' };
}

const replicas = (ready: number, wanted: number): string =>
  `${ready} of ${wanted} ${wanted === 1 ? 'replica is' : 'replicas are'} ready`;
