import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectRef } from '#core/services/service-objects';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { discoverKinds } from './discovery.ts';
import { isKept } from './helm-ownership.ts';
import { locate } from './locate.ts';
import { readManifest } from './manifest.ts';

/**
 * Objects of a manifest that are there, but for those that are to be kept. A kind that the API server does not know any
 * more has none.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function findRemaining(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ObjectRef[]> {
  const kinds = await discoverKinds(api);
  const targets = readManifest(manifest).map((object) => locate(object, release, kinds));
  const lives = await Promise.all(
    targets.map(async ({ path }) => (path === null ? undefined : api.get<ApiObject>(path))),
  );
  // The manifest may have nothing but names: what is to be kept says so itself.
  return targets
    .filter((_, index) => {
      const live = lives[index];
      return live !== undefined && !isKept(live);
    })
    .map(({ ref }) => ref);
}
