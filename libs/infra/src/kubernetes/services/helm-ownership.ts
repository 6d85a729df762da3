import type { ReleaseName } from '#core/services/helm-releases';
import type { ApiObject } from './api-object.ts';

/** Who owns the fields that Helm 4 applies: cmd/helm/helm.go sets it. */
export const HELM_MANAGER = 'helm';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const POLICY = 'helm.sh/resource-policy';

/** The object as Helm sends it: it marks each as its release's, and the manifest does not show that. */
export function marked(object: ApiObject, { name, namespace }: ReleaseName): ApiObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [MANAGED_BY]: 'Helm' },
      annotations: {
        ...metadata.annotations,
        [RELEASE_NAME]: name,
        [RELEASE_NAMESPACE]: namespace,
      },
    },
  };
}

/** The release that an object is marked with. */
export function releaseOf({ metadata }: ApiObject): ReleaseName | null {
  const name = metadata.annotations?.[RELEASE_NAME];
  const namespace = metadata.annotations?.[RELEASE_NAMESPACE];
  const managed = metadata.labels?.[MANAGED_BY] === 'Helm';
  return managed && name !== undefined && namespace !== undefined ? { name, namespace } : null;
}

/** Whether Helm leaves the object where it is instead of removing it. */
export const isKept = ({ metadata }: ApiObject): boolean => metadata.annotations?.[POLICY] === 'keep';
