import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import type { ServiceCluster } from '#core/services/service-cluster';
import { HelmCliReleases } from '../helm/helm-cli-releases.ts';
import { kubernetesOptions } from '../kubernetes/open-kubernetes.ts';
import { ApiImageMirror } from '../kubernetes/mirror/api-image-mirror.ts';
import { ApiServiceObjects } from '../kubernetes/services/api-service-objects.ts';
import { openLabRegistry } from '../registry/open-lab-registry.ts';

const CHARTS = join('deploy', 'helm', 'services');

/** @returns null where no Kubernetes is configured, nor around this process */
export function openServiceCluster(configuration: WorkerConfiguration): ServiceCluster | null {
  const options = kubernetesOptions(configuration);
  if (options === undefined) return null;
  return {
    helm: new HelmCliReleases({
      program: configuration.BRAMBLE_HELM,
      access: options.access,
      ownCharts: configuration.BRAMBLE_CHARTS ?? ownCharts(import.meta.dirname),
      cacheDirectory: join(configuration.BRAMBLE_HOME, 'charts'),
    }),
    objects: new ApiServiceObjects(options),
    mirror: new ApiImageMirror(options),
    registry: openLabRegistry(configuration),
  };
}

/** Above this file, wherever it was built to. */
function ownCharts(from: string): string {
  const charts = join(from, CHARTS);
  return existsSync(charts) || dirname(from) === from ? charts : ownCharts(dirname(from));
}
