import type { HelmReleases } from './helm-releases.ts';
import type { ImageMirror } from './mirror/image-mirror.ts';
import type { LabRegistry } from './mirror/lab-registry.ts';
import type { ServiceObjects } from './service-objects.ts';

/** The cluster that services are on, as a worker reaches it. */
export interface ServiceCluster {
  helm: HelmReleases;
  objects: ServiceObjects;
  mirror: ImageMirror;
  /** null where the lab has no registry that Bramble knows of. */
  registry: LabRegistry | null;
}
