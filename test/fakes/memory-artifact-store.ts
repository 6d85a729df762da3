import type { Artifact, ArtifactStore } from '#core/artifacts/artifact';
import type { Page } from '#core/vocabulary/page';

export class MemoryArtifactStore implements ArtifactStore {
  readonly #artifacts = new Map<string, Artifact>();

  async insert(artifact: Artifact): Promise<void> {
    this.#artifacts.set(artifact.id, structuredClone(artifact));
  }

  /** As if it had never been uploaded. */
  lose(id: string): void {
    this.#artifacts.delete(id);
  }

  async find(id: string): Promise<Artifact | undefined> {
    return structuredClone(this.#artifacts.get(id));
  }

  async findSame({ ownerId, name, sha256 }: Pick<Artifact, 'ownerId' | 'name' | 'sha256'>) {
    const same = [...this.#artifacts.values()].find(
      (artifact) => artifact.ownerId === ownerId && artifact.name === name && artifact.sha256 === sha256,
    );
    return structuredClone(same);
  }

  async findMany(ids: readonly string[]): Promise<Artifact[]> {
    return structuredClone([...this.#artifacts.values()].filter(({ id }) => ids.includes(id)));
  }

  /** All on one page. */
  async list(ownerId: string): Promise<Page<Artifact>> {
    const items = [...this.#artifacts.values()].filter((artifact) => artifact.ownerId === ownerId);
    return { items: structuredClone(items), next: null };
  }
}
