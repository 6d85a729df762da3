import type { ApiCondition, ApiMetadata, ApiObject } from './api-object.ts';

/** What is read of the kinds that run something, as JSON of the API server. */
export interface ApiDeployment extends ApiObject {
  spec: { replicas?: number };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    conditions?: readonly ApiCondition[];
  };
}

export interface ApiReplicaSet extends ApiObject {
  spec: { replicas?: number };
  status?: {
    observedGeneration?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: readonly ApiCondition[];
  };
}

export interface ApiStatefulSet extends ApiObject {
  spec: {
    replicas?: number;
    podManagementPolicy?: string;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    volumeClaimTemplates?: readonly { metadata: { name: string } }[];
    persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string };
  };
  status?: {
    observedGeneration?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    updateRevision?: string;
    currentRevision?: string;
  };
}

export interface ApiDaemonSet extends ApiObject {
  spec: { updateStrategy?: { type?: string } };
  status?: {
    observedGeneration?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
  };
}

export interface ApiJob extends ApiObject {
  spec: {
    completions?: number;
    parallelism?: number;
    suspend?: boolean;
    ttlSecondsAfterFinished?: number;
  };
  status?: { succeeded?: number; conditions?: readonly ApiCondition[] };
}

export interface ApiClaim extends ApiObject {
  spec: { storageClassName?: string | null };
  status?: { phase?: string };
}

export interface ApiPod extends ApiObject {
  spec: {
    nodeName?: string;
    initContainers?: readonly { name: string }[];
    containers?: readonly { name: string }[];
    volumes?: readonly { persistentVolumeClaim?: { claimName: string } }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: readonly ApiCondition[];
    initContainerStatuses?: readonly ApiContainerStatus[];
    containerStatuses?: readonly ApiContainerStatus[];
  };
}

export interface ApiContainerStatus {
  name: string;
  image: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  /** How it ended the time before. */
  lastState?: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: TerminatedState;
}

export interface TerminatedState {
  exitCode: number;
  signal?: number;
  reason?: string;
  message?: string;
}

export const WORKLOAD_KINDS = [
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'Pod',
  'PersistentVolumeClaim',
] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

const GROUPS: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  Pod: 'v1',
  PersistentVolumeClaim: 'v1',
};

/** Kinds of that name in other groups, such as those of operators, say nothing that is understood here. */
export function workloadKindOf({
  apiVersion,
  kind,
}: Pick<ApiObject, 'apiVersion' | 'kind'>): WorkloadKind | null {
  const known = WORKLOAD_KINDS.find((name) => name === kind);
  return known !== undefined && GROUPS[known] === apiVersion ? known : null;
}

/** Whether Kubernetes itself removes it when it has ended: that it is gone says that it was there. */
export const removesItself = (object: ApiObject): boolean =>
  workloadKindOf(object) === 'Job' && (object as ApiJob).spec.ttlSecondsAfterFinished !== undefined;

/** Whether its controller has seen what the object asks for now; until then its status is of the time before. */
export const isObserved = (
  metadata: ApiMetadata,
  status: { observedGeneration?: number } | undefined,
): boolean => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
