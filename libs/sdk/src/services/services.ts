import { beginOperation, type BeginOptions, givenOf } from '../admin/begin-operation.ts';
import type {
  CatalogEntry,
  ContainerLog,
  Installation,
  Operation,
  Rollback,
  Service,
  ServiceEvent,
  ServiceRevision,
  Uninstallation,
  Upgrade,
} from '../api-types.ts';
import type { CallOptions } from '../http/api-request.ts';
import { type Query, requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';

export interface InstallOptions extends CallOptions, Installation {
  /** Only tell what would become of each object: nothing is changed. Default: false. */
  dryRun?: boolean | undefined;
}

export interface UpgradeOptions extends CallOptions, Upgrade {
  /** Only tell what would become of each object: nothing is changed. Default: false. */
  dryRun?: boolean | undefined;
}

export interface RollbackOptions extends CallOptions, Rollback {}

export interface UninstallOptions extends CallOptions, Uninstallation {}

export interface ServiceLogOptions extends CallOptions {
  /** Of each container, at most. Default: 100. */
  lines?: number | undefined;
  /** What containers wrote before their last restart. Default: false. */
  previous?: boolean | undefined;
}

/**
 * Services of the Kubernetes cluster. What takes time answers with an operation: watch it with `admin.operations`. Changes
 * are for admins.
 */
export class Services {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What can be deployed. */
  catalog(options: CallOptions = {}): Promise<CatalogEntry[]> {
    return this.#items(['catalog'], options);
  }

  /** Also by the names of the software, such as `grafana`. @throws NotFoundError */
  catalogEntry(name: string, { signal }: CallOptions = {}): Promise<CatalogEntry> {
    const path = requestPath('v1', 'services', 'catalog', name);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /** What is installed, or of which something is. */
  list(options: CallOptions = {}): Promise<Service[]> {
    return this.#items([], options);
  }

  /** @throws NotFoundError */
  get(name: string, { signal }: CallOptions = {}): Promise<Service> {
    const path = requestPath('v1', 'services', name);
    return this.#transport.json({ method: 'GET', path, repeatable: true, signal });
  }

  /**
   * Begins to install a service.
   * @param name of the entry of the catalogue, or another name that finds it
   * @throws InvalidRequestError, ConflictError where it is installed already or something that it needs is not,
   * NotFoundError
   */
  install(name: string, { dryRun, signal, ...installation }: InstallOptions = {}): Promise<Operation> {
    return this.#begin([], { body: { name, ...installation }, query: { dryRun }, signal });
  }

  /**
   * Begins to bring a service to other settings, or to what the catalogue has now. `settings` and `values` are all that there
   * are to be; left out, those that the service has. `(hidden)` keeps a secret.
   * @throws InvalidRequestError, ConflictError where something is being done already, NotFoundError
   */
  upgrade(name: string, { dryRun, signal, ...upgrade }: UpgradeOptions = {}): Promise<Operation> {
    return this.#begin([name, 'upgrade'], {
      body: givenOf(upgrade),
      query: { dryRun },
      signal,
    });
  }

  /** Begins to bring a service back. @throws InvalidRequestError, ConflictError, NotFoundError */
  rollback(name: string, { signal, ...rollback }: RollbackOptions = {}): Promise<Operation> {
    return this.#begin([name, 'rollback'], { body: givenOf(rollback), signal });
  }

  /** Begins to take a service out of the cluster. @throws ConflictError, NotFoundError */
  uninstall(name: string, { signal, ...uninstallation }: UninstallOptions = {}): Promise<Operation> {
    return this.#begin([name, 'uninstall'], { body: givenOf(uninstallation), signal });
  }

  /** Looks whether a service is as it was applied, and changes nothing. @throws ConflictError, NotFoundError */
  check(name: string, { signal }: CallOptions = {}): Promise<Operation> {
    return this.#begin([name, 'check'], { signal });
  }

  /** Begins to mend what was left half-way. @throws ConflictError, NotFoundError */
  recover(name: string, { signal }: CallOptions = {}): Promise<Operation> {
    return this.#begin([name, 'recover'], { signal });
  }

  /** Begins to copy the images that the cluster runs into the registry. @throws ConflictError, NotFoundError */
  mirror(name: string, { signal }: CallOptions = {}): Promise<Operation> {
    return this.#begin([name, 'mirror'], { signal });
  }

  /** What a service was, newest first. @throws NotFoundError */
  history(name: string, options: CallOptions = {}): Promise<ServiceRevision[]> {
    return this.#items([name, 'history'], options);
  }

  /** What was done with a service, newest first. @throws NotFoundError */
  operations(name: string, options: CallOptions = {}): Promise<Operation[]> {
    return this.#items([name, 'operations'], options);
  }

  /** What Kubernetes tells of its objects, newest first. @throws NotFoundError, ServerError */
  events(name: string, options: CallOptions = {}): Promise<ServiceEvent[]> {
    return this.#items([name, 'events'], options);
  }

  /** What its containers have written last. @throws NotFoundError, ServerError */
  logs(name: string, { lines, previous, signal }: ServiceLogOptions = {}): Promise<ContainerLog[]> {
    return this.#items([name, 'logs'], { signal }, { lines, previous });
  }

  async #items<T>(segments: readonly string[], { signal }: CallOptions, query: Query = {}): Promise<T[]> {
    const path = requestPath('v1', 'services', ...segments);
    const request = { method: 'GET', path, query, repeatable: true, signal } as const;
    return (await this.#transport.json<{ items: T[] }>(request)).items;
  }

  #begin(segments: readonly string[], options: BeginOptions): Promise<Operation> {
    return beginOperation(this.#transport, ['v1', 'services', ...segments], options);
  }
}
