import type { ClusterImage } from './cluster-image.ts';
import {
  formatImageReference,
  type ImageReference,
  mirroredReference,
  readImageReference,
} from './image-reference.ts';
import type { LabRegistry } from './lab-registry.ts';

/** Registries that the nodes look for in the lab's registry first, with `install.sh --mirror`. */
export const MIRRORED_REGISTRIES: readonly string[] = ['docker.io', 'ghcr.io', 'quay.io', 'registry.k8s.io'];

/** Annotations of an object hold 256 KiB, and the references are one of the Job's. */
const MOST_IMAGES = 1_000;

/** A piece of work for a Job: to copy images into the lab's registry. */
export interface MirrorPlan {
  /** Name of the Job: a DNS label of at most 52 characters, so that its pods' names fit. */
  name: string;
  namespace: string;
  registry: Pick<LabRegistry, 'hosts' | 'plainHttp'>;
  copies: readonly ImageReference[];
  options: MirrorOptions;
}

export interface MirrorOptions {
  /** A Secret of type `kubernetes.io/dockerconfigjson` in the Job's namespace, for all registries. Default: none. */
  credentialsSecret?: string;
  /** skopeo, of 1.15 or newer. */
  image?: string;
  /** How many images are copied at the same time. Default: 2. */
  parallelism?: number;
  /** How often each image is tried. Default: 3. */
  attempts?: number;
  /** After how long all of it is given up, in seconds. Default: six hours. */
  timeoutSeconds?: number;
  /** How long the Job can be asked for after its end, in seconds. Default: a day. */
  keepSeconds?: number;
}

export interface MirrorChoice {
  copies: ImageReference[];
  skipped: { reference: string; because: string }[];
}

/**
 * Which images of the cluster are to be copied: those that the registry has not got, or of which it is not known.
 * @param registries where they come from; others are of no use in a mirror, because no node looks for them there
 */
export function chooseCopies(
  images: readonly ClusterImage[],
  registry: Pick<LabRegistry, 'hosts'>,
  registries: readonly string[] = MIRRORED_REGISTRIES,
): MirrorChoice {
  const choice: MirrorChoice = { copies: [], skipped: [] };
  for (const { reference, mirror } of images) {
    const image = readImageReference(reference);
    const because = whyNot(image, mirror?.present === true, registry, registries);
    if (image === undefined || because !== undefined)
      choice.skipped.push({ reference, because: because ?? NO_REFERENCE });
    else if (choice.copies.length === MOST_IMAGES)
      choice.skipped.push({
        reference,
        because: `One turn copies ${MOST_IMAGES} images; it is for the next.`,
      });
    else choice.copies.push(image);
  }
  return choice;
}

const NO_REFERENCE = 'It is no reference to an image.';

function whyNot(
  image: ImageReference | undefined,
  isThere: boolean,
  { hosts }: Pick<LabRegistry, 'hosts'>,
  registries: readonly string[],
): string | undefined {
  if (image === undefined) return NO_REFERENCE;
  if (hosts.includes(image.registry)) return "It comes from the lab's registry.";
  if (isThere) return 'The registry has it.';
  if (mirroredReference(image, '') === undefined)
    return 'Its registry has a port, which cannot be part of a path in another.';
  if (!registries.includes(image.registry))
    return `No node looks for images of ${image.registry} in the lab's registry.`;
  return undefined;
}

/** What a Job with these copies reports by, in the order of its indexes. */
export const copiedReferences = (copies: readonly ImageReference[]): string[] =>
  copies.map(formatImageReference);
