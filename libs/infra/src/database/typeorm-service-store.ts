import type { DataSource } from 'typeorm';
import type { Service, ServiceObservation, ServiceRevision } from '#core/services/service';
import { REVISIONS_OF_A_SERVICE, type ServiceStore } from '#core/services/service-store';
import { runSql } from './run-sql.ts';
import { storableJson, storableText } from './storable-text.ts';
import type { ServiceRevisionRow } from './tables/service-revisions.ts';
import type { ServiceRow } from './tables/services.ts';

/** As JSON has it: times are texts. */
type RevisionJson = Omit<ServiceRevisionRow, 'at'> & { at: string };

const SERVICES = `
  SELECT services.*, to_jsonb(current) AS current FROM services LEFT JOIN LATERAL (
    SELECT * FROM service_revisions WHERE service = services.name ORDER BY revision DESC LIMIT 1
  ) AS current ON true`;

/** Services and what they were, in PostgreSQL. What is written together is one statement, which is a transaction by itself. */
export class TypeormServiceStore implements ServiceStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async find(name: string): Promise<Service | undefined> {
    const [row] = await this.#rows<ServiceRow & { current: RevisionJson | null }>(
      `${SERVICES} WHERE name = $1`,
      [name],
    );
    return row === undefined ? undefined : toService(row);
  }

  async list(): Promise<Service[]> {
    const rows = await this.#rows<ServiceRow & { current: RevisionJson | null }>(
      `${SERVICES} ORDER BY name COLLATE "C"`,
      [],
    );
    return rows.map(toService);
  }

  async ensure(name: string, at: Date): Promise<void> {
    await this.#rows('INSERT INTO services (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      name,
      at,
    ]);
  }

  async addRevision(name: string, revision: Omit<ServiceRevision, 'revision'>): Promise<number> {
    const { operationId, kind, reason, at, sealedWanted, parts } = revision;
    // Whoever comes second to a number has added nothing, and takes the next one.
    for (;;) {
      const [added] = await this.#rows<{ revision: number }>(
        `WITH known AS (
           SELECT revision FROM service_revisions WHERE operation_id = $2
         ), service AS (
           INSERT INTO services (name, created_at) VALUES ($1, $5) ON CONFLICT DO NOTHING
         ), added AS (
           INSERT INTO service_revisions (service, revision, operation_id, kind, reason, at, sealed_wanted, parts)
           SELECT $1, 1 + coalesce((SELECT max(revision) FROM service_revisions WHERE service = $1), 0),
             $2, $3, $4, $5, $6, $7
           WHERE NOT EXISTS (SELECT FROM known) ON CONFLICT DO NOTHING RETURNING revision
         ), forgotten AS (
           DELETE FROM service_revisions
           WHERE service = $1 AND revision <= (SELECT revision - ${REVISIONS_OF_A_SERVICE} FROM added)
         )
         SELECT revision FROM added UNION ALL SELECT revision FROM known`,
        [
          name,
          operationId,
          kind,
          reason === null ? null : storableText(reason),
          at,
          sealedWanted,
          storableJson(parts),
        ],
      );
      if (added !== undefined) return added.revision;
    }
  }

  async revisions(name: string): Promise<ServiceRevision[]> {
    const rows = await this.#rows<ServiceRevisionRow>(
      'SELECT * FROM service_revisions WHERE service = $1 ORDER BY revision DESC',
      [name],
    );
    return rows.map(toRevision);
  }

  async observe(name: string, observation: ServiceObservation): Promise<void> {
    await this.#rows('UPDATE services SET observation = $2 WHERE name = $1', [
      name,
      storableJson(observation),
    ]);
  }

  async reseal(name: string, revision: number, sealedWanted: string): Promise<void> {
    await this.#rows('UPDATE service_revisions SET sealed_wanted = $3 WHERE service = $1 AND revision = $2', [
      name,
      revision,
      sealedWanted,
    ]);
  }

  async remove(name: string): Promise<void> {
    await this.#rows('DELETE FROM services WHERE name = $1', [name]);
  }

  #rows<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.#dataSource, sql, parameters);
  }
}

const toService = ({
  name,
  observation,
  created_at,
  current,
}: ServiceRow & { current: RevisionJson | null }): Service => ({
  name,
  current: current === null ? null : toRevision({ ...current, at: new Date(current.at) }),
  observation: observation === null ? null : { ...observation, observedAt: new Date(observation.observedAt) },
  createdAt: created_at,
});

const toRevision = (row: ServiceRevisionRow): ServiceRevision => ({
  revision: row.revision,
  operationId: row.operation_id,
  kind: row.kind,
  reason: row.reason,
  at: row.at,
  sealedWanted: row.sealed_wanted,
  parts: row.parts,
});
