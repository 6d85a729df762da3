import type {
  ClusterObservations,
  ClusterSnapshot,
  ObservedCluster,
  ObservedKubernetes,
} from '#core/cluster/cluster';
import type { KubernetesNode } from '#core/cluster/kubernetes-nodes';

export class MemoryClusterObservations implements ClusterObservations {
  #latest: ObservedCluster | undefined;
  #kubernetes: ObservedKubernetes | undefined;
  #trackedAt: Date | null = null;

  async record(snapshot: ClusterSnapshot, observedAt: Date): Promise<void> {
    this.#latest = structuredClone({ snapshot, observedAt });
  }

  async latest(): Promise<ObservedCluster | undefined> {
    return structuredClone(this.#latest);
  }

  async recordKubernetes(nodes: KubernetesNode[], observedAt: Date): Promise<void> {
    this.#kubernetes = structuredClone({ nodes, observedAt });
  }

  async latestKubernetes(): Promise<ObservedKubernetes | undefined> {
    return structuredClone(this.#kubernetes);
  }

  async recordTracking(at: Date): Promise<void> {
    this.#trackedAt = at;
  }

  async trackedAt(): Promise<Date | null> {
    return this.#trackedAt;
  }
}
