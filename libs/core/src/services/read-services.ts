import { NO_CLUSTER } from '../cluster/cluster-view.ts';
import type { SecretBox } from '../nodes/secret-box.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { Answer } from '../vocabulary/answer.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { Catalog } from './catalog/catalog.ts';
import { type CatalogEntryResource, toCatalogEntry } from './catalog/catalog-resource.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import { objectsManifest } from './objects-manifest.ts';
import { openWanted, type Service, type ServiceRevision, type WantedService } from './service.ts';
import type { ContainerLog, ServiceLogs, ServiceObjects } from './service-objects.ts';
import {
  type ServiceEventResource,
  type ServiceResource,
  type ServiceRevisionResource,
  toServiceEvent,
  toServiceResource,
  toServiceRevision,
} from './service-resource.ts';
import type { ServiceStore } from './service-store.ts';

/** What the cluster tells of services at the moment it is asked. */
export type LiveServices = Pick<ServiceObjects, 'events'> & ServiceLogs;

export interface ReadServicesPorts {
  catalog: Catalog;
  services: ServiceStore;
  operations: OperationStore;
  secrets: SecretBox;
  site: () => Promise<ServiceSite>;
  /** null where no Kubernetes is configured. */
  live: LiveServices | null;
}

/** Among these, the last check and what is under way are looked for. */
const LOOKED_BACK = 50;

/** Answers what services there may be, what there are, and how they are. */
export class ReadServices {
  readonly #ports: ReadServicesPorts;

  constructor(ports: ReadServicesPorts) {
    this.#ports = ports;
  }

  /** In the order of the catalogue. */
  async catalog(): Promise<CatalogEntryResource[]> {
    const { catalog, services } = this.#ports;
    const [site, installed] = await Promise.all([this.#ports.site(), services.list()]);
    return catalog.list().map((entry) =>
      toCatalogEntry(entry, {
        ...{ catalog, site },
        installed: installed.some(({ name, current }) => name === entry.name && current !== null),
      }),
    );
  }

  /** @throws Problem `not_found` */
  async catalogEntry(nameOrAlias: string): Promise<CatalogEntryResource> {
    const { catalog, services, site } = this.#ports;
    const entry = catalog.get(nameOrAlias);
    const installed = ((await services.find(entry.name))?.current ?? null) !== null;
    return toCatalogEntry(entry, { catalog, site: await site(), installed });
  }

  /** In order of name. */
  async list(options: { showLines: boolean }): Promise<ServiceResource[]> {
    const services = await this.#ports.services.list();
    return Promise.all(services.map((service) => this.#resource(service, options)));
  }

  /** @throws Problem `not_found` */
  async get(name: string, options: { showLines: boolean }): Promise<ServiceResource> {
    return this.#resource(await this.#find(name), options);
  }

  /** Newest first. @throws Problem `not_found` */
  async history(name: string): Promise<ServiceRevisionResource[]> {
    const service = await this.#find(name);
    const entry = this.#ports.catalog.find(service.name);
    const revisions = await this.#ports.services.revisions(service.name);
    return revisions.map((revision) =>
      toServiceRevision(revision, {
        entry,
        wanted: this.#open(service.name, revision),
        current: service.current?.revision ?? null,
      }),
    );
  }

  /** Newest first. @throws Problem `not_found`, `kubernetes_unavailable` */
  async events(name: string): Promise<ServiceEventResource[]> {
    const events = await this.#ask(name, (live, { release, namespace, objects }) =>
      live.events({ name: release, namespace }, objectsManifest(objects)),
    );
    return events.sort((a, b) => b.at.getTime() - a.at.getTime()).map(toServiceEvent);
  }

  /**
   * What containers have written last.
   * @param options.lines of each, at most
   * @param options.previous of the containers before their last restart
   * @throws Problem `not_found`, `kubernetes_unavailable`
   */
  logs(name: string, options: { lines: number; previous: boolean }): Promise<ContainerLog[]> {
    return this.#ask(name, (live, { release, namespace, objects }) =>
      live.tail({ name: release, namespace }, objectsManifest(objects), options),
    );
  }

  /** The name of the entry that is found by a name or an alias; others stay as they are. */
  nameOf(nameOrAlias: string): string {
    return this.#ports.catalog.find(nameOrAlias)?.name ?? nameOrAlias;
  }

  /** @throws Problem `kubernetes_unavailable` where no Kubernetes is configured */
  demandCluster(): LiveServices {
    if (this.#ports.live === null) throw new Problem('kubernetes_unavailable', NO_CLUSTER.because);
    return this.#ports.live;
  }

  /** Asks about each release of the current revision. */
  async #ask<T>(
    name: string,
    ask: (live: LiveServices, part: ServiceRevision['parts'][number]) => Promise<Answer<T[]>>,
  ): Promise<T[]> {
    const { current } = await this.#find(name);
    const live = this.demandCluster();
    const answers = await Promise.all((current?.parts ?? []).map((part) => ask(live, part)));
    return answers.flatMap((answer) => {
      if (answer.kind === 'unknown') throw new Problem('kubernetes_unavailable', answer.because);
      return answer.kind === 'present' ? answer.value : [];
    });
  }

  async #resource(service: Service, { showLines }: { showLines: boolean }): Promise<ServiceResource> {
    const { catalog, operations } = this.#ports;
    return toServiceResource(service, {
      entry: catalog.find(service.name),
      wanted: service.current === null ? null : this.#open(service.name, service.current),
      operations: await operations.operationsOf('service', service.name, LOOKED_BACK),
      showLines,
    });
  }

  #open(name: string, { sealedWanted }: ServiceRevision): WantedService {
    return openWanted(name, sealedWanted, this.#ports.secrets);
  }

  async #find(name: string): Promise<Service> {
    const service = await this.#ports.services.find(this.nameOf(name));
    if (service === undefined) throw notFound('service', name);
    return service;
  }
}
