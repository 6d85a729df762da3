import type { DataSource } from 'typeorm';
import type {
  ClusterObservations,
  ClusterSnapshot,
  ObservedCluster,
  ObservedKubernetes,
} from '#core/cluster/cluster';
import type { KubernetesNode } from '#core/cluster/kubernetes-nodes';
import { runSql } from './run-sql.ts';
import { storableJson } from './storable-text.ts';
import type { ObservationRow } from './tables/observations.ts';

/** The last answers of Slurm and Kubernetes. An older answer never takes the place of a newer one, whoever is late. */
export class TypeormClusterObservations implements ClusterObservations {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async record(snapshot: ClusterSnapshot, at: Date): Promise<void> {
    await this.#record('cluster', at, snapshot);
  }

  async latest(): Promise<ObservedCluster | undefined> {
    const row = await this.#find('cluster');
    if (row === undefined) return undefined;
    return { snapshot: row.data as ClusterSnapshot, observedAt: row.observed_at };
  }

  async recordKubernetes(nodes: KubernetesNode[], at: Date): Promise<void> {
    await this.#record('kubernetes', at, nodes);
  }

  async latestKubernetes(): Promise<ObservedKubernetes | undefined> {
    const row = await this.#find('kubernetes');
    if (row === undefined) return undefined;
    return { nodes: row.data as KubernetesNode[], observedAt: row.observed_at };
  }

  async recordTracking(at: Date): Promise<void> {
    await this.#record('tracking', at, null);
  }

  async trackedAt(): Promise<Date | null> {
    return (await this.#find('tracking'))?.observed_at ?? null;
  }

  async #record(kind: ObservationRow['kind'], at: Date, data: unknown): Promise<void> {
    await runSql(
      this.#dataSource,
      `INSERT INTO observations (kind, observed_at, data) VALUES ($1, $2, $3)
       ON CONFLICT (kind) DO UPDATE SET observed_at = excluded.observed_at, data = excluded.data
       WHERE observations.observed_at <= excluded.observed_at`,
      [kind, at, storableJson(data)],
    );
  }

  async #find(kind: ObservationRow['kind']): Promise<ObservationRow | undefined> {
    const [row] = await runSql<ObservationRow>(
      this.#dataSource,
      'SELECT kind, observed_at, data FROM observations WHERE kind = $1',
      [kind],
    );
    return row;
  }
}
