import { ManageOperations } from '../operations/manage-operations.ts';
import type { ServiceOperation, ServiceOperationKind } from '../operations/operation.ts';
import type { OperationQueue } from '../operations/operation-queue.ts';
import { type OperationResource, toOperationResource } from '../operations/operation-resource.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { SecretBox } from '../nodes/secret-box.ts';
import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import { notFound, Problem } from '../vocabulary/problem.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { CatalogEntry } from './catalog/catalog-entry.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import { HIDDEN, revealSecrets } from './hide-secrets.ts';
import { openWanted, sealWanted, type Service, type ServiceRevision, type WantedService } from './service.ts';
import type { InstallRequest, RollbackRequest, UninstallRequest, UpgradeRequest } from './service-request.ts';
import { serviceSteps } from './service-steps.ts';
import type { ServiceStore } from './service-store.ts';

export interface ManageServicesPorts {
  catalog: Catalog;
  services: ServiceStore;
  operations: OperationStore;
  queue: OperationQueue;
  secrets: SecretBox;
  site: () => Promise<ServiceSite>;
  ids: IdGenerator;
  clock: Clock;
}

type Said = Partial<ServiceOperation['parameters']>;

const SHOWN_OPERATIONS = 50;

/** What admins do with services. The cluster itself is a worker's business. */
export class ManageServices {
  readonly #ports: ManageServicesPorts;
  readonly #operations: ManageOperations;

  constructor(ports: ManageServicesPorts) {
    this.#ports = ports;
    this.#operations = new ManageOperations(ports);
  }

  /**
   * @param options.dryRun only tell what would be changed
   * @throws Problem `not_found`, `invalid_request`, `name_taken` where it is installed, `dependency_missing`, or
   *   `operation_under_way`
   */
  async install(request: InstallRequest, { dryRun = false } = {}): Promise<OperationResource> {
    const entry = this.entry(request.name);
    const installed = await this.#ports.services.find(entry.name);
    if ((installed?.current ?? null) !== null && !dryRun) {
      throw new Problem('name_taken', `"${entry.name}" is installed already; upgrade it.`, {
        faults: [{ field: 'name', message: 'is installed already' }],
      });
    }
    if (!request.force) await this.#needs(entry);
    const wanted = { settings: request.settings, values: request.values };
    return this.#begin(entry, dryRun ? 'plan' : 'install', { ...request, wanted });
  }

  /**
   * @param options.dryRun only tell what would be changed
   * @throws Problem `not_found`, `invalid_request`, or `operation_under_way`
   */
  async upgrade(name: string, request: UpgradeRequest, { dryRun = false } = {}): Promise<OperationResource> {
    const { current } = await this.#find(name);
    const entry = this.entry(name);
    const before = current === null ? undefined : this.#open(name, current);
    const wanted = {
      settings: merged(request.settings, before?.settings, 'settings'),
      values: merged(request.values, before?.values, 'values') as WantedService['values'],
    };
    return this.#begin(entry, dryRun ? 'plan' : 'upgrade', { ...request, wanted });
  }

  /** @throws Problem `not_found`, `invalid_request` where there is no such revision, or `operation_under_way` */
  async rollBack(name: string, request: RollbackRequest): Promise<OperationResource> {
    const { current } = await this.#find(name);
    const revisions = await this.#ports.services.revisions(name);
    const revision =
      request.revision ?? revisions.find((one) => one.revision !== current?.revision)?.revision;
    const target = revisions.find((one) => one.revision === revision);
    if (target === undefined || target.revision === current?.revision) {
      const others = revisions.filter((one) => one.revision !== current?.revision);
      const message =
        others.length === 0
          ? 'there is no earlier one'
          : `must be one of ${others.map((one) => one.revision).join(', ')}`;
      throw new Problem('invalid_request', `"${name}" cannot be rolled back: ${message}.`, {
        faults: [{ field: 'revision', message }],
      });
    }
    return this.#begin(this.entry(name), 'rollback', { ...request, revision: target.revision });
  }

  /** @throws Problem `not_found`, or `operation_under_way` */
  async uninstall(name: string, request: UninstallRequest): Promise<OperationResource> {
    await this.#find(name);
    return this.#begin(this.entry(name), 'uninstall', request);
  }

  /**
   * Begins what needs nothing but a name: a check for drift, a recovery, a mirroring of images.
   * @throws Problem `not_found`, or `operation_under_way`
   */
  async begin(name: string, kind: 'check' | 'recover' | 'mirror'): Promise<OperationResource> {
    await this.#find(name);
    return this.#begin(this.entry(name), kind, {});
  }

  /** @throws Problem `not_found` */
  entry(nameOrAlias: string): CatalogEntry {
    return this.#ports.catalog.get(nameOrAlias);
  }

  /** Newest first. @throws Problem `not_found` where nothing was ever done with it */
  async operationsOf(name: string): Promise<OperationResource[]> {
    const operations = await this.#ports.operations.operationsOf('service', name, SHOWN_OPERATIONS);
    if (operations.length === 0) await this.#find(name);
    return operations.map(toOperationResource);
  }

  /** Newest first. @throws Problem `not_found` */
  async history(name: string): Promise<ServiceRevision[]> {
    await this.#find(name);
    return this.#ports.services.revisions(name);
  }

  /** What a service was asked to be. @throws Problem `not_found` */
  async wanted(name: string): Promise<WantedService | null> {
    const { current } = await this.#find(name);
    return current === null ? null : this.#open(name, current);
  }

  async #needs({ name, dependsOn }: CatalogEntry): Promise<void> {
    const installed = new Set(
      (await this.#ports.services.list()).filter(({ current }) => current !== null).map((one) => one.name),
    );
    const missing = dependsOn.filter((one) => !installed.has(one));
    if (missing.length === 0) return;
    throw new Problem(
      'dependency_missing',
      `"${name}" needs ${missing.join(' and ')}; install ${missing.length === 1 ? 'it' : 'them'} first, or use force where something else does that.`,
    );
  }

  async #begin(
    entry: CatalogEntry,
    kind: ServiceOperationKind,
    said: { reason?: string | undefined; wanted?: WantedService } & Omit<Said, 'reason'>,
  ): Promise<OperationResource> {
    const { catalog, ids, clock, secrets, services, site } = this.#ports;
    const wanted = said.wanted;
    // Read here, so that what is wrong is told at once.
    const parts =
      wanted === undefined
        ? ((await services.find(entry.name))?.current?.parts ?? [])
        : catalog.valuesOf(entry, wanted.settings, wanted.values, await site());
    return this.#operations.begin<ServiceOperation>({
      id: ids.next('op'),
      about: 'service',
      subject: entry.name,
      boardId: null,
      kind,
      parameters: {
        reason: said.reason ?? null,
        force: said.force ?? false,
        keepFailed: said.keepFailed ?? false,
        revision: said.revision ?? null,
        sealedWanted: wanted === undefined ? null : sealWanted(entry.name, wanted, secrets),
      },
      steps: serviceSteps(kind, parts),
      createdAt: clock.now(),
    });
  }

  #open(name: string, { sealedWanted }: ServiceRevision): WantedService {
    return openWanted(name, sealedWanted, this.#ports.secrets);
  }

  async #find(name: string): Promise<Service> {
    const service = await this.#ports.services.find(name);
    if (service === undefined) throw notFound('service', name);
    return service;
  }
}

/** @throws Problem where a hidden secret is given back that is not there */
function merged(
  given: Record<string, unknown> | undefined,
  before: Record<string, unknown> = {},
  field: string,
): Record<string, unknown> {
  if (given === undefined) return before;
  const revealed = revealSecrets(given, before);
  if (JSON.stringify(revealed).includes(JSON.stringify(HIDDEN)) || hasHole(revealed)) {
    throw new Problem('invalid_request', `A secret of the ${field} is hidden, and was not there before.`, {
      faults: [{ field, message: `must have the secret itself where it says "${HIDDEN}"` }],
    });
  }
  return revealed;
}

const hasHole = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.values(value).some(hasHole));
