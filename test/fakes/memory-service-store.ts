import type { Service, ServiceObservation, ServiceRevision } from '#core/services/service';
import { REVISIONS_OF_A_SERVICE, type ServiceStore } from '#core/services/service-store';

interface Kept {
  createdAt: Date;
  observation: ServiceObservation | null;
  /** Newest first. */
  revisions: ServiceRevision[];
}

/** Services in memory. What is given out and taken in is copied, as a database would. */
export class MemoryServiceStore implements ServiceStore {
  readonly #services = new Map<string, Kept>();

  async find(name: string): Promise<Service | undefined> {
    return (await this.list()).find((service) => service.name === name);
  }

  async list(): Promise<Service[]> {
    const services = [...this.#services].map(([name, { createdAt, observation, revisions }]) => ({
      ...{ name, createdAt, observation },
      current: revisions[0] ?? null,
    }));
    return structuredClone(services.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async ensure(name: string, at: Date): Promise<void> {
    this.#ensured(name, at);
  }

  async addRevision(name: string, revision: Omit<ServiceRevision, 'revision'>): Promise<number> {
    const all = [...this.#services.values()].flatMap(({ revisions }) => revisions);
    const known = all.find(({ operationId }) => operationId === revision.operationId);
    const service = this.#ensured(name, revision.at);
    if (known !== undefined) return known.revision;
    const number = 1 + (service.revisions[0]?.revision ?? 0);
    service.revisions = [{ ...structuredClone(revision), revision: number }, ...service.revisions].slice(
      0,
      REVISIONS_OF_A_SERVICE,
    );
    return number;
  }

  async revisions(name: string): Promise<ServiceRevision[]> {
    return structuredClone(this.#services.get(name)?.revisions ?? []);
  }

  async observe(name: string, observation: ServiceObservation): Promise<void> {
    const service = this.#services.get(name);
    if (service !== undefined) service.observation = structuredClone(observation);
  }

  async reseal(name: string, revision: number, sealedWanted: string): Promise<void> {
    const found = this.#services.get(name)?.revisions.find((one) => one.revision === revision);
    if (found !== undefined) found.sealedWanted = sealedWanted;
  }

  async remove(name: string): Promise<void> {
    this.#services.delete(name);
  }

  #ensured(name: string, at: Date): Kept {
    const service = this.#services.get(name) ?? {
      createdAt: new Date(at),
      observation: null,
      revisions: [],
    };
    this.#services.set(name, service);
    return service;
  }
}
