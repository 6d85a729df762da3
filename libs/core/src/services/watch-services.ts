import { isOver, type ServiceOperation } from '../operations/operation.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { Clock } from '../vocabulary/clock.ts';
import { Problem } from '../vocabulary/problem.ts';
import { isHalfWay } from './helm-recovery.ts';
import type { HelmReleases } from './helm-releases.ts';
import type { ManageServices } from './manage-services.ts';
import { objectsManifest } from './objects-manifest.ts';
import type { Service, ServiceObservation } from './service.ts';
import type { ServiceObjects } from './service-objects.ts';
import type { ServiceStore } from './service-store.ts';

export interface WatchServicesPorts {
  services: ServiceStore;
  operations: OperationStore;
  objects: ServiceObjects;
  helm: HelmReleases;
  manage: ManageServices;
  clock: Clock;
  /** How often what was applied is compared with what the cluster has; 0: never by itself. */
  checkEveryMs: number;
}

const LOOKED_BACK = 50;

/** Looks how services are, begins checks for drift, and has mended what a killed worker has left half-way. */
export class WatchServices {
  readonly #ports: WatchServicesPorts;

  constructor(ports: WatchServicesPorts) {
    this.#ports = ports;
  }

  async run(): Promise<void> {
    for (const service of await this.#ports.services.list()) {
      await this.#ports.services.observe(service.name, await this.#look(service));
      await this.#tend(service);
    }
  }

  async #look({ current }: Service): Promise<ServiceObservation> {
    const observation: ServiceObservation = {
      observedAt: this.#ports.clock.now(),
      state: current === null ? 'degraded' : 'ready',
      message: current === null ? 'Its installation has not come to its end.' : null,
      workloads: [],
      problems: [],
      endpoints: [],
    };
    for (const { release, namespace, objects } of current?.parts ?? []) {
      const name = { name: release, namespace };
      const manifest = objectsManifest(objects);
      const health = await this.#ports.objects.health(name, manifest);
      const endpoints = await this.#ports.objects.endpoints(name, manifest);
      if (health.kind !== 'present' || endpoints.kind !== 'present') {
        const unknown = health.kind === 'unknown' ? health : endpoints;
        return {
          ...observation,
          state: 'unknown',
          message: unknown.kind === 'unknown' ? unknown.because : null,
        };
      }
      observation.workloads.push(...health.value.workloads);
      observation.problems.push(...health.value.problems);
      observation.endpoints.push(...endpoints.value);
      if (health.value.workloads.some(({ ready }) => !ready)) observation.state = 'degraded';
    }
    return observation;
  }

  async #tend(service: Service): Promise<void> {
    const { operations, clock, checkEveryMs } = this.#ports;
    const recent = await operations.operationsOf('service', service.name, LOOKED_BACK);
    const [latest] = recent;
    if (latest === undefined || !isOver(latest.state)) return;
    if (latest.state !== 'done' && (await this.#isHalfWay(service, latest)))
      return this.#begin(service.name, 'recover');
    const looked = recent.find(({ kind, state }) => kind !== 'mirror' && state === 'done');
    const since = looked?.endedAt ?? service.createdAt;
    const isDue = checkEveryMs > 0 && clock.now().getTime() - since.getTime() >= checkEveryMs;
    if (isDue && service.current !== null) await this.#begin(service.name, 'check');
  }

  async #isHalfWay({ name: subject, current }: Service, { steps }: ServiceOperation): Promise<boolean> {
    const { namespace } = this.#ports.manage.entry(subject);
    const begun = steps.flatMap(({ name }) => /(?<=^(?:apply|remove) ).+$/.exec(name)?.[0] ?? []);
    const releases = new Set([...(current?.parts.map(({ release }) => release) ?? []), ...begun]);
    for (const name of releases) {
      const found = await this.#ports.helm.find({ name, namespace });
      if (found.kind === 'present' && isHalfWay(found.value)) return true;
    }
    return false;
  }

  async #begin(name: string, kind: 'check' | 'recover'): Promise<void> {
    try {
      await this.#ports.manage.begin(name, kind);
    } catch (error) {
      // An admin was faster.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
