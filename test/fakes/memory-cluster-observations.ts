import type { ClusterObservations, ClusterSnapshot, ObservedCluster } from '#core/cluster/cluster';

export class MemoryClusterObservations implements ClusterObservations {
  #latest: ObservedCluster | undefined;
  #trackedAt: Date | null = null;

  async record(snapshot: ClusterSnapshot, observedAt: Date): Promise<void> {
    this.#latest = structuredClone({ snapshot, observedAt });
  }

  async latest(): Promise<ObservedCluster | undefined> {
    return structuredClone(this.#latest);
  }

  async recordTracking(at: Date): Promise<void> {
    this.#trackedAt = at;
  }

  async trackedAt(): Promise<Date | null> {
    return this.#trackedAt;
  }
}
