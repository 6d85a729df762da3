import { z } from 'zod';
import {
  formatImageReference,
  type ImageReference,
  mirroredReference,
  readImageReference,
} from './image-reference.ts';
import type { LabRegistry } from './lab-registry.ts';

const podSchema = z.object({ namespace: z.string(), name: z.string() });

export const clusterImageSchema = z
  .object({
    reference: z.string().describe('In full: `docker.io/library/nginx:1.27`.'),
    digests: z
      .array(z.string())
      .describe('Of what runs, as the kubelets report it; more than one where a tag has moved meanwhile.'),
    namespaces: z.array(z.string()),
    pods: z.array(podSchema),
    mirror: z
      .object({
        reference: z.string().describe("Where the lab's registry has it, or would have it."),
        present: z.boolean().nullable().describe('null where the registry could not be asked.'),
      })
      .nullable()
      .describe(
        'null where no registry is configured (BRAMBLE_REGISTRY), where the reference is none, and where it names ' +
          'a registry with a port.',
      ),
  })
  .meta({ id: 'ClusterImage' });
export type ClusterImage = z.output<typeof clusterImageSchema>;

export const clusterImageListSchema = z
  .object({ items: z.array(clusterImageSchema).describe('In order of the reference.') })
  .meta({ id: 'ClusterImageList' });
export type ClusterImageList = z.output<typeof clusterImageListSchema>;

/** An image in one container of a pod. */
export interface ObservedImage {
  namespace: string;
  pod: string;
  /** As the pod has it. */
  image: string;
  /** What the kubelet reports, such as `docker.io/library/nginx@sha256:…`; '' as long as it has not pulled it. */
  imageId: string;
}

/** Images that are looked for in the registry at the same time. */
const AT_A_TIME = 8;

/** Each image once, however many containers have it and in whatever form they name it. */
export async function toClusterImages(
  observed: readonly ObservedImage[],
  registry: LabRegistry | null,
): Promise<ClusterImage[]> {
  const byReference = Map.groupBy(observed, ({ image }) => {
    const read = readImageReference(image);
    return read === undefined ? image : formatImageReference(read);
  });
  const images = [...byReference].sort(([a], [b]) => a.localeCompare(b, 'en'));
  const mirrors = await inTurns(images, ([reference]) => findMirror(reference, registry));
  return images.map(([reference, uses], index) => ({
    reference,
    digests: distinct(uses.flatMap(({ imageId }) => digestIn(imageId) ?? [])),
    namespaces: distinct(uses.map(({ namespace }) => namespace)),
    pods: podsOf(uses),
    mirror: mirrors[index] ?? null,
  }));
}

/** Where the lab's registry keeps an image: one of its own stays where it is. */
function placeInRegistry(image: ImageReference, { hosts }: LabRegistry): ImageReference | undefined {
  return hosts.includes(image.registry) ? image : mirroredReference(image, hosts[0] ?? '');
}

async function findMirror(text: string, registry: LabRegistry | null): Promise<ClusterImage['mirror']> {
  const image = readImageReference(text);
  if (image === undefined || registry === null) return null;
  const place = placeInRegistry(image, registry);
  if (place === undefined) return null;
  const { kind } = await registry.has(place);
  return { reference: formatImageReference(place), present: kind === 'unknown' ? null : kind === 'present' };
}

/** Without a name before it, it is that of the image's configuration, which no registry knows it by. */
const digestIn = (imageId: string): string | undefined => /@(sha(?:256|512):[0-9a-f]+)$/.exec(imageId)?.[1];

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

function podsOf(uses: readonly ObservedImage[]): ClusterImage['pods'] {
  const byName = new Map(
    uses.map(({ namespace, pod }) => [`${namespace}/${pod}`, { namespace, name: pod }] as const),
  );
  return [...byName].sort(([a], [b]) => a.localeCompare(b, 'en')).map(([, pod]) => pod);
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_A_TIME)
    results.push(...(await Promise.all(items.slice(from, from + AT_A_TIME).map(work))));
  return results;
}
