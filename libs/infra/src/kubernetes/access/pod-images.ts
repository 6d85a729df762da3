import type { ObservedImage } from '#core/services/mirror/cluster-image';

interface Container {
  name: string;
  image?: string;
}

interface ContainerStatus {
  name: string;
  imageID?: string;
}

/** What is read of a pod. */
export interface ApiPod {
  metadata: { name: string; namespace: string };
  spec: {
    containers?: readonly Container[];
    initContainers?: readonly Container[];
    ephemeralContainers?: readonly Container[];
  };
  status?: {
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
    ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

/** The images of all containers of a pod, those that have ended before it started among them. */
export function imagesOfPod({ metadata, spec, status }: ApiPod): ObservedImage[] {
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  const statuses = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return containers.flatMap(({ name, image = '' }) => {
    if (image === '') return [];
    const imageId = statuses.find((one) => one.name === name)?.imageID ?? '';
    return [{ namespace: metadata.namespace, pod: metadata.name, image, imageId }];
  });
}
