import {
  type Discovery,
  type DiscoveryPatch,
  type DiscoveryStore,
  isDiscovered,
} from '#core/nodes/discovery/discovery';

/** Discoveries in memory. */
export class MemoryDiscoveryStore implements DiscoveryStore {
  readonly #discoveries = new Map<string, Discovery>();

  async insert(discovery: Discovery): Promise<void> {
    this.#discoveries.set(discovery.id, structuredClone(discovery));
  }

  async find(id: string): Promise<Discovery | undefined> {
    return structuredClone(this.#discoveries.get(id));
  }

  async change(id: string, patch: DiscoveryPatch): Promise<boolean> {
    const current = this.#discoveries.get(id);
    if (current === undefined || isDiscovered(current.state)) return false;
    this.#discoveries.set(id, { ...current, ...structuredClone(patch) });
    return true;
  }

  async takeDue(now: Date, putOffUntil: Date, limit: number): Promise<Discovery[]> {
    const due = [...this.#discoveries.values()]
      .filter(({ lookAt }) => lookAt !== null && lookAt <= now)
      .slice(0, limit);
    for (const discovery of due) discovery.lookAt = new Date(putOffUntil);
    return structuredClone(due);
  }

  async removeOld(before: Date): Promise<void> {
    for (const { id, createdAt } of this.#discoveries.values())
      if (createdAt < before) this.#discoveries.delete(id);
  }
}
