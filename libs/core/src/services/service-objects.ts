import type { Reason } from '../jobs/job.ts';
import type { Answer } from '../vocabulary/answer.ts';
import type { ReleaseName } from './helm-releases.ts';

/** An object of the API server. */
export interface ObjectRef {
  /** Group and version, such as `apps/v1`. */
  apiVersion: string;
  kind: string;
  /** null where the kind has none. */
  namespace: string | null;
  name: string;
}

/** What would become of an object. */
export interface ObjectChange {
  object: ObjectRef;
  change: 'create' | 'change' | 'remove' | 'conflict' | 'refused';
  /** Fields that differ, such as `spec.replicas`; contents of Secrets are never told. */
  fields: FieldChange[];
  /** For a conflict: who owns the fields; for a refusal: what the API server says. */
  message: string | null;
}

export interface FieldChange {
  path: string;
  /** JSON, shortened; null where there is none. */
  before: string | null;
  after: string | null;
}

/** How far a workload is. */
export interface WorkloadState {
  object: ObjectRef;
  ready: boolean;
  /** Such as `2 of 3 replicas are ready`. */
  detail: string;
}

/**
 * What keeps a workload from becoming ready. Codes are those of Kubernetes (`ImagePullBackOff`, `CrashLoopBackOff`,
 * `OOMKilled`, `Unschedulable`, `FailedMount`, `FailedCreate`, `ProgressDeadlineExceeded` …), and `JobFailed`,
 * `PodFailed`, `ClaimLost`, `StuckRollout`.
 */
export interface WorkloadProblem extends Reason {
  /** The workload of the manifest; the message names the pod. */
  object: ObjectRef;
  /** Whether it does not pass by itself as a rule, so that waiting longer is of no use. */
  lasting: boolean;
  /** Last lines of the container that ended; empty where there are none. */
  lastLines: string[];
}

/** How the objects of a release are. */
export interface ReleaseHealth {
  /**
   * Deployments, stateful and daemon sets, jobs, pods, claims: in the order of the manifest. Then those that operators
   * have made for its custom resources, and the custom resources themselves that say whether they are ready.
   */
  workloads: WorkloadState[];
  problems: WorkloadProblem[];
}

/** Where a service is reached. */
export interface ServiceEndpoint {
  /** `registry`, the name of the Service or Ingress. */
  name: string;
  kind: 'LoadBalancer' | 'NodePort' | 'ClusterIP' | 'Ingress';
  /** Addresses or host names; empty as long as none was given. */
  hosts: string[];
  /** Addresses that a load balancer was asked for, given or not; empty where none was named. */
  wanted: string[];
  ports: { name: string | null; port: number; protocol: string }[];
}

export interface ServiceEvent {
  at: Date;
  type: 'Normal' | 'Warning';
  code: string;
  message: string;
  object: ObjectRef;
  /** How often it was seen. */
  count: number;
}

/** What the cluster is, as far as a service can ask for something. */
export interface ClusterCapabilities {
  /** Release of the API server, such as `1.36.3`. */
  version: string;
  nodes: {
    name: string;
    architecture: string | null;
    memoryMebibytes: number | null;
    kernel: string | null;
  }[];
  /** `apiVersion/kind` of everything that the API server serves. */
  kinds: ReadonlySet<string>;
}

/** Objects of services, as the API server has them. */
export interface ServiceObjects {
  capabilities(): Promise<Answer<ClusterCapabilities>>;
  /** Makes a namespace where it is missing, and puts labels on it. */
  ensureNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<Answer<true>>;
  /**
   * What applying a manifest would change, found out by the API server itself without changing anything. Objects of
   * `before` that are not in `manifest` would be removed.
   * @param manifest YAML of Helm; an object without a namespace is in that of the release
   * @param before the manifest that the release has now; '' where there is none
   */
  diff(
    release: ReleaseName,
    manifest: string,
    before: string,
    options: { forceConflicts: boolean },
  ): Promise<Answer<ObjectChange[]>>;
  /**
   * What somebody has changed since the release was applied: fields of the manifest that are different now, without
   * those that controllers set (replicas under an autoscaler, caBundle), and objects that are gone.
   */
  drift(release: ReleaseName, manifest: string): Promise<Answer<ObjectChange[]>>;
  /** What a manifest has, in its order. */
  objectsOf(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>>;
  health(release: ReleaseName, manifest: string): Promise<Answer<ReleaseHealth>>;
  /**
   * Deletes pods of an older revision that stateful sets wait for and that are not ready (problem `StuckRollout`). They
   * would keep even a rollback from going on. Gives what it has deleted.
   */
  removeStuckPods(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>>;
  endpoints(release: ReleaseName, manifest: string): Promise<Answer<ServiceEndpoint[]>>;
  /** Newest first: of the objects of the release, and of what they own. */
  events(release: ReleaseName, manifest: string): Promise<Answer<ServiceEvent[]>>;
  /** Objects of the manifest that are there, but for those that are to be kept. */
  remaining(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>>;
  /**
   * What an uninstallation leaves behind and is there now: claims of stateful sets, objects that the chart keeps, and
   * definitions of kinds, which other releases may use as well. It may be asked for before and after.
   */
  leftovers(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>>;
}

/** What one container has written last. */
export interface ContainerLog {
  namespace: string;
  pod: string;
  container: string;
  /** Each cut after 2,000 characters. */
  lines: string[];
  /** Why there are none, such as that it has not been started yet; null where there is nothing to say. */
  because: string | null;
}

/** What pods have written. */
export interface ServiceLogs {
  /**
   * Lines of all containers of the pods that descend from a release's objects, of 100 containers at most.
   * @param options.lines of each container, at most
   * @param options.previous of the containers before their last restart
   */
  tail(
    release: ReleaseName,
    manifest: string,
    options: { lines: number; previous: boolean },
  ): Promise<Answer<ContainerLog[]>>;
}
