import type { SecretBox } from '../nodes/secret-box.ts';
import type { TrackedOperationPorts } from '../operations/tracked-operation.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { PartValues } from './catalog/catalog-entry.ts';
import type { BoardPages } from './catalog/constraints.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import type { ServiceRevision, WantedService } from './service.ts';
import type { ServiceCluster } from './service-cluster.ts';
import type { ServiceStore } from './service-store.ts';

/** What the work on a service has, once there is a cluster. */
export interface ServiceRunPorts extends ServiceCluster, TrackedOperationPorts {
  services: ServiceStore;
  catalog: Catalog;
  secrets: SecretBox;
  site: () => Promise<ServiceSite>;
  /** Page sizes of boards, which may be nodes of Kubernetes as well. */
  boardPages: () => Promise<BoardPages[]>;
}

/** What an operation works on, as it is known when a run begins. */
export interface ServiceWork {
  /** Releases that the service is to have, in the order of installation; empty where it is to go. */
  parts: PartValues[];
  /** Why what is wanted cannot be: the catalogue has changed since it was stored. */
  invalid: string | null;
  /** What was asked for; null where nothing is. */
  wanted: WantedService | null;
  /** The revision that is gone back to. */
  target: ServiceRevision | null;
  /** The revision that the service is in. */
  current: ServiceRevision | null;
  /** Releases that may be there, in the order of installation. */
  known: string[];
  /** Secrets of what it is and of what it is to be, to strike them out. */
  secrets: string[];
}
