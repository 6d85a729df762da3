import type { ReleaseName } from '#core/services/helm-releases';
import type {
  ClusterCapabilities,
  ContainerLog,
  ObjectChange,
  ObjectRef,
  ReleaseHealth,
  ServiceEndpoint,
  ServiceEvent,
  ServiceLogs,
  ServiceObjects,
  WorkloadProblem,
} from '#core/services/service-objects';
import { type Answer, present } from '#core/vocabulary/answer';

/** A question that was asked, about which release and with which manifest. */
export interface AskedQuestion {
  question: Exclude<keyof ServiceObjects | keyof ServiceLogs, 'capabilities' | 'ensureNamespace'>;
  release: ReleaseName;
  manifest: string;
}

export const webDeployment: ObjectRef = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'demo',
  name: 'web',
};

/** A release with one workload that is ready. */
export const readyHealth = (object: ObjectRef = webDeployment): ReleaseHealth => ({
  workloads: [{ object, ready: true, detail: '1 of 1 replica is ready' }],
  problems: [],
});

/** A release with one workload that is not ready yet, for which problems are found. */
export const unreadyHealth = (
  problems: readonly Partial<WorkloadProblem>[] = [],
  object: ObjectRef = webDeployment,
): ReleaseHealth => ({
  workloads: [{ object, ready: false, detail: '0 of 1 replica are ready' }],
  problems: problems.map((problem) => ({
    code: 'CrashLoopBackOff',
    message: 'Pod web-1: The container web has ended with exit code 1',
    object,
    lasting: false,
    lastLines: [],
    ...problem,
  })),
});

/** A cluster of two Raspberry Pis. */
const PIS: ClusterCapabilities = {
  version: '1.36.3',
  nodes: ['kv-master-0', 'kv-worker-0'].map((name) => ({
    name,
    architecture: 'arm64',
    memoryMebibytes: 7937,
    kernel: '6.12.34+rpt-rpi-v8',
  })),
  kinds: new Set(['v1/Service', 'apps/v1/Deployment', 'networking.k8s.io/v1/Ingress']),
};

/** Objects of services as a test says they are, and a record of what was asked. Everything is ready as long as it says nothing. */
export class FakeServiceObjects implements ServiceObjects, ServiceLogs {
  cluster: Answer<ClusterCapabilities> = present(PIS);
  /** Labels of the namespaces that were made. */
  readonly namespaces = new Map<string, Record<string, string>>();
  readonly asked: AskedQuestion[] = [];
  /** Answers of `health`, in turn; the last one stays. */
  readonly healths: Answer<ReleaseHealth>[] = [];
  /** Goes before `healths`. */
  onHealth: ((release: ReleaseName) => Answer<ReleaseHealth>) | undefined;
  onNamespace: (name: string) => Answer<true> = () => present(true);
  onDiff: (release: ReleaseName, manifest: string, before: string) => Answer<ObjectChange[]> = () =>
    present([]);
  onDrift: (release: ReleaseName) => Answer<ObjectChange[]> = () => present([]);
  onRemoveStuckPods: (release: ReleaseName) => Answer<ObjectRef[]> = () => present([]);
  onEndpoints: (release: ReleaseName) => Answer<ServiceEndpoint[]> = () => present([]);
  onEvents: (release: ReleaseName) => Answer<ServiceEvent[]> = () => present([]);
  onRemaining: (release: ReleaseName) => Answer<ObjectRef[]> = () => present([]);
  onLeftovers: (release: ReleaseName) => Answer<ObjectRef[]> = () => present([]);
  onTail: (release: ReleaseName) => Answer<ContainerLog[]> = () => present([]);

  async capabilities(): Promise<Answer<ClusterCapabilities>> {
    return this.cluster;
  }

  async ensureNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<Answer<true>> {
    const answer = this.onNamespace(name);
    if (answer.kind === 'present') this.namespaces.set(name, { ...this.namespaces.get(name), ...labels });
    return answer;
  }

  async diff(release: ReleaseName, manifest: string, before: string): Promise<Answer<ObjectChange[]>> {
    this.asked.push({ question: 'diff', release, manifest });
    return this.onDiff(release, manifest, before);
  }

  async drift(release: ReleaseName, manifest: string): Promise<Answer<ObjectChange[]>> {
    this.asked.push({ question: 'drift', release, manifest });
    return this.onDrift(release);
  }

  async objectsOf(release: ReleaseName): Promise<Answer<ObjectRef[]>> {
    return present([{ ...webDeployment, ...release }]);
  }

  async health(release: ReleaseName, manifest: string): Promise<Answer<ReleaseHealth>> {
    this.asked.push({ question: 'health', release, manifest });
    if (this.onHealth !== undefined) return this.onHealth(release);
    const [next] = this.healths;
    if (this.healths.length > 1) this.healths.shift();
    return next ?? present(readyHealth());
  }

  async removeStuckPods(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    this.asked.push({ question: 'removeStuckPods', release, manifest });
    return this.onRemoveStuckPods(release);
  }

  async endpoints(release: ReleaseName, manifest: string): Promise<Answer<ServiceEndpoint[]>> {
    this.asked.push({ question: 'endpoints', release, manifest });
    return this.onEndpoints(release);
  }

  async events(release: ReleaseName, manifest: string): Promise<Answer<ServiceEvent[]>> {
    this.asked.push({ question: 'events', release, manifest });
    return this.onEvents(release);
  }

  async remaining(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    this.asked.push({ question: 'remaining', release, manifest });
    return this.onRemaining(release);
  }

  async leftovers(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    this.asked.push({ question: 'leftovers', release, manifest });
    return this.onLeftovers(release);
  }

  async tail(release: ReleaseName, manifest: string): Promise<Answer<ContainerLog[]>> {
    this.asked.push({ question: 'tail', release, manifest });
    return this.onTail(release);
  }
}
