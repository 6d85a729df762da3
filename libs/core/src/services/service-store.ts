import type { Service, ServiceObservation, ServiceRevision } from './service.ts';

/** Services and what they were, in the database. What is done with them is in the store of operations. */
export interface ServiceStore {
  find(name: string): Promise<Service | undefined>;
  /** In order of name. */
  list(): Promise<Service[]>;
  /** Stores that something of the service is there, or is about to be. Once is enough. */
  ensure(name: string, at: Date): Promise<void>;
  /**
   * Stores a revision, which is the current one from then on, and makes the service known where it is not. The second
   * time for the same operation changes nothing. The newest 20 are kept.
   * @returns the number of the revision
   */
  addRevision(name: string, revision: Omit<ServiceRevision, 'revision'>): Promise<number>;
  /** Newest first. */
  revisions(name: string): Promise<ServiceRevision[]>;
  /** Keeps what was seen last; does nothing where the service is not known any more. */
  observe(name: string, observation: ServiceObservation): Promise<void>;
  /** Replaces what a revision keeps sealed, which says the same. */
  reseal(name: string, revision: number, sealedWanted: string): Promise<void>;
  /** Forgets the service and its revisions. */
  remove(name: string): Promise<void>;
}

export const REVISIONS_OF_A_SERVICE = 20;
