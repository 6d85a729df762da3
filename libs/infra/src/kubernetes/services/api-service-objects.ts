import type { ReleaseName } from '#core/services/helm-releases';
import type {
  ClusterCapabilities,
  ContainerLog,
  ObjectChange,
  ObjectRef,
  ReleaseHealth,
  ServiceEndpoint,
  ServiceEvent,
  ServiceLogs,
  ServiceObjects,
} from '#core/services/service-objects';
import type { Answer } from '#core/vocabulary/answer';
import { type ApiServerOptions, type ApiSession, askApiServer } from './api-session.ts';
import { ensureNamespace } from './ensure-namespace.ts';
import { findDrift } from './find-drift.ts';
import { findRemaining } from './find-remaining.ts';
import { findLeftovers } from './find-leftovers.ts';
import { planChanges } from './plan-changes.ts';
import { readCapabilities } from './read-capabilities.ts';
import { discoverKinds } from './discovery.ts';
import { locate } from './locate.ts';
import { readManifest } from './manifest.ts';
import { readEndpoints } from './read-endpoints.ts';
import { readEvents } from './read-events.ts';
import { readHealth } from './read-health.ts';
import { removeStuckPods } from './remove-stuck-pods.ts';
import { tailLogs } from './tail-logs.ts';

/** Objects and logs of services by way of Kubernetes' API. Each question has connections, and a time limit, of its own. */
export class ApiServiceObjects implements ServiceObjects, ServiceLogs {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  capabilities(): Promise<Answer<ClusterCapabilities>> {
    return this.#ask(readCapabilities);
  }

  ensureNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<Answer<true>> {
    return this.#ask((api) => ensureNamespace(api, name, labels));
  }

  diff(
    release: ReleaseName,
    manifest: string,
    before: string,
    { forceConflicts }: { forceConflicts: boolean },
  ): Promise<Answer<ObjectChange[]>> {
    return this.#ask((api) => planChanges(api, { release, manifest, before, forceConflicts }));
  }

  drift(release: ReleaseName, manifest: string): Promise<Answer<ObjectChange[]>> {
    return this.#ask((api) => findDrift(api, release, manifest));
  }

  objectsOf(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    return this.#ask(async (api) => {
      const kinds = await discoverKinds(api);
      return readManifest(manifest).map((object) => locate(object, release, kinds).ref);
    });
  }

  health(release: ReleaseName, manifest: string): Promise<Answer<ReleaseHealth>> {
    return this.#ask((api) => readHealth(api, release, manifest));
  }

  removeStuckPods(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    return this.#ask((api) => removeStuckPods(api, release, manifest));
  }

  endpoints(release: ReleaseName, manifest: string): Promise<Answer<ServiceEndpoint[]>> {
    return this.#ask((api) => readEndpoints(api, release, manifest));
  }

  events(release: ReleaseName, manifest: string): Promise<Answer<ServiceEvent[]>> {
    return this.#ask((api) => readEvents(api, release, manifest));
  }

  remaining(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    return this.#ask((api) => findRemaining(api, release, manifest));
  }

  leftovers(release: ReleaseName, manifest: string): Promise<Answer<ObjectRef[]>> {
    return this.#ask((api) => findLeftovers(api, release, manifest));
  }

  tail(
    release: ReleaseName,
    manifest: string,
    options: { lines: number; previous: boolean },
  ): Promise<Answer<ContainerLog[]>> {
    return this.#ask((api) => tailLogs(api, release, manifest, options));
  }

  #ask<T>(work: (api: ApiSession) => Promise<T>): Promise<Answer<T>> {
    return askApiServer(this.#options, work);
  }
}
