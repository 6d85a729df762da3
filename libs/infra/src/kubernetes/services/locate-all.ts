import type { ReleaseName } from '#core/services/helm-releases';
import type { ApiSession } from './api-session.ts';
import { discoverKinds } from './discovery.ts';
import { type Located, locate } from './locate.ts';
import { readManifest } from './manifest.ts';

/**
 * The objects of a manifest, in its order, and where the API server has them.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function locateAll(api: ApiSession, release: ReleaseName, manifest: string): Promise<Located[]> {
  const objects = readManifest(manifest);
  const kinds = await discoverKinds(api);
  return objects.map((object) => locate(object, release, kinds));
}
