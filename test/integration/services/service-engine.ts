import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import type { ServiceOperation } from '#core/operations/operation';
import { Catalog } from '#core/services/catalog/catalog';
import { catalogEntry } from '#core/services/catalog/catalog-entry';
import type { ServiceSite } from '#core/services/catalog/service-site';
import { ManageServices } from '#core/services/manage-services';
import { objectsManifest } from '#core/services/objects-manifest';
import { RunServiceOperation } from '#core/services/run-service-operation';
import { sealWanted, type ServiceObservation } from '#core/services/service';
import { WatchServices } from '#core/services/watch-services';
import { absent } from '#core/vocabulary/answer';
import { type HelmOptions } from '#infra/helm/run-helm';
import { HelmCliReleases } from '#infra/helm/helm-cli-releases';
import { ApiImageMirror } from '#infra/kubernetes/mirror/api-image-mirror';
import { ApiServiceObjects } from '#infra/kubernetes/services/api-service-objects';
import { idOf } from '../../fakes/counting-ids.ts';
import { existing } from '../../fakes/existing.ts';
import { MemoryOperationStore } from '../../fakes/memory-operation-store.ts';
import { MemoryServiceStore } from '../../fakes/memory-service-store.ts';
import { plainSecretBox } from '../../fakes/plain-secret-box.ts';
import { PATIENCE_MS } from '../../patience.ts';

export interface ServiceEngineOptions extends HelmOptions {
  ownCharts: string;
  cacheDirectory: string;
  /** The chart that the service consists of; service and release have its name. */
  chart: string;
  namespace: string;
  namespaceLabels?: Record<string, string>;
}

const TIMEOUT_MS = 20_000;
const SITE: ServiceSite = {
  ...{ domain: 'home.lab', subnet: '10.0.0.0/24', storage: null, storageClass: null },
  ...{ boards: [], slurm: null },
};
const REGISTRY = { hosts: ['10.0.0.10:5000'], plainHttp: true, has: async () => absent };
const clock = { now: () => new Date() };

/** One service, and everything that a worker does with it, on a real cluster and without a database. */
export class ServiceEngine {
  readonly #services = new MemoryServiceStore();
  readonly #operations = new MemoryOperationStore();
  readonly #name: string;
  readonly #runner: RunServiceOperation;
  readonly #watch: WatchServices;
  #count = 0;

  constructor({ chart, namespace, namespaceLabels = {}, ...options }: ServiceEngineOptions) {
    this.#name = chart;
    const { access } = options;
    const objects = new ApiServiceObjects({ access, timeoutMs: TIMEOUT_MS });
    const helm = new HelmCliReleases(options);
    const catalog = new Catalog([
      catalogEntry({
        ...{ name: chart, aliases: [], title: chart, description: '', namespace, namespaceLabels },
        ...{
          constraints: { kubernetes: '1.30' },
          dependsOn: [],
          forceConflicts: false,
          timeoutMs: PATIENCE_MS,
        },
        settings: () => z.looseObject({}),
        parts: (values) => [{ release: chart, chart: { kind: 'own', name: chart }, values }],
        ...{ addressSettings: [], secretSettings: [] },
      }),
    ]);
    const ports = {
      ...{ services: this.#services, operations: this.#operations, secrets: plainSecretBox },
      ...{ clock, catalog, site: async () => SITE },
    };
    this.#runner = new RunServiceOperation({
      ...ports,
      cluster: {
        helm,
        objects,
        mirror: new ApiImageMirror({ access, timeoutMs: TIMEOUT_MS }),
        registry: REGISTRY,
      },
      boardPages: async () => [],
      pause: (ms, signal) =>
        sleep(Math.min(ms, 200), undefined, signal === undefined ? {} : { signal }).catch(() => {}),
    });
    this.#watch = new WatchServices({
      ...{ ...ports, helm, objects, checkEveryMs: 0 },
      manage: new ManageServices({
        ...ports,
        ids: { next: () => this.#nextId() },
        queue: { add: async () => {} },
      }),
    });
  }

  /**
   * Makes one attempt at an operation.
   * @param settings of the service; null where the operation is about none
   * @returns the operation as it is then
   */
  async run(
    kind: ServiceOperation['kind'],
    settings: Record<string, unknown> | null = null,
    revision: number | null = null,
  ) {
    const id = this.#nextId();
    const sealedWanted =
      settings === null ? null : sealWanted(this.#name, { settings, values: {} }, plainSecretBox);
    await this.#operations.begin<ServiceOperation>({
      ...{ id, about: 'service', subject: this.#name, boardId: null, kind, steps: [] },
      parameters: { reason: null, force: false, keepFailed: false, revision, sealedWanted },
      createdAt: clock.now(),
    });
    await this.#runner.run(id);
    return existing(await this.#operations.findOperation(id));
  }

  /** The steps of an operation that has to end well, such as `unchanged: 4 to copy`. */
  async done(...asked: Parameters<ServiceEngine['run']>): Promise<Record<string, string>> {
    const operation = await this.run(...asked);
    expect(operation).toMatchObject({ state: 'done', reason: null });
    return Object.fromEntries(
      operation.steps.map(({ name, state, detail }) => [name, `${state}: ${detail ?? ''}`]),
    );
  }

  /** What keeps an operation from being done. */
  async refusal(...asked: Parameters<ServiceEngine['run']>): Promise<string> {
    return (await this.run(...asked)).reason?.message ?? 'nothing';
  }

  /** Looks at the service as the leader does. */
  async observe(): Promise<ServiceObservation | null> {
    await this.#watch.run();
    return existing(await this.#services.find(this.#name)).observation;
  }

  /** What the api asks about. */
  async manifest(): Promise<string> {
    const { current } = existing(await this.#services.find(this.#name));
    return objectsManifest(current?.parts.flatMap(({ objects }) => objects) ?? []);
  }

  #nextId(): string {
    return idOf('op', (this.#count += 1));
  }
}
