import type { DataSource } from 'typeorm';
import type { Artifact, ArtifactStore } from '#core/artifacts/artifact';
import type { Page } from '#core/vocabulary/page';
import { parseCursor, toPage } from './page-cursor.ts';
import { runSql } from './run-sql.ts';
import { SqlParameters } from './sql-text.ts';
import { storableText } from './storable-text.ts';
import type { ArtifactRow } from './tables/artifacts.ts';

const SELECT_ARTIFACT = 'SELECT id, owner_id, name, size, sha256, created_at FROM artifacts';

export class TypeormArtifactStore implements ArtifactStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async insert(artifact: Artifact): Promise<void> {
    await runSql(
      this.#dataSource,
      'INSERT INTO artifacts (id, owner_id, name, size, sha256, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        artifact.id,
        artifact.ownerId,
        storableText(artifact.name),
        artifact.size,
        artifact.sha256,
        artifact.createdAt,
      ],
    );
  }

  async find(id: string): Promise<Artifact | undefined> {
    const [artifact] = await this.findMany([id]);
    return artifact;
  }

  async findSame({
    ownerId,
    name,
    sha256,
  }: Pick<Artifact, 'ownerId' | 'name' | 'sha256'>): Promise<Artifact | undefined> {
    const [row] = await runSql<ArtifactRow>(
      this.#dataSource,
      `${SELECT_ARTIFACT} WHERE owner_id = $1 AND sha256 = $2 AND name = $3 ORDER BY created_at, id LIMIT 1`,
      [ownerId, sha256, storableText(name)],
    );
    return row === undefined ? undefined : toArtifact(row);
  }

  async findMany(ids: readonly string[]): Promise<Artifact[]> {
    if (ids.length === 0) return [];
    const rows = await runSql<ArtifactRow>(this.#dataSource, `${SELECT_ARTIFACT} WHERE id = ANY ($1)`, [ids]);
    return rows.map(toArtifact);
  }

  /** Newest first. */
  async list(ownerId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<Artifact>> {
    const parameters = new SqlParameters();
    const conditions = [`owner_id = ${parameters.add(ownerId)}`];
    if (page.cursor !== undefined) {
      const { createdAt, id } = parseCursor(page.cursor);
      conditions.push(
        `(created_at, id) < (${parameters.add(createdAt)}::timestamptz, ${parameters.add(id)}::text)`,
      );
    }
    const rows = await runSql<ArtifactRow>(
      this.#dataSource,
      `${SELECT_ARTIFACT} WHERE ${conditions.join(' AND ')}
       ORDER BY created_at DESC, id DESC LIMIT ${parameters.add(page.limit + 1)}`,
      parameters.values,
    );
    return toPage(rows.map(toArtifact), page.limit);
  }
}

function toArtifact(row: ArtifactRow): Artifact {
  return {
    id: row.id,
    ownerId: row.owner_id,
    name: row.name,
    size: Number(row.size),
    sha256: row.sha256,
    createdAt: row.created_at,
  };
}
