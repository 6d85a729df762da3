import { describe, expect, it } from 'vitest';
import { absent, present, unknown } from '../../vocabulary/answer.ts';
import { type ObservedImage, toClusterImages } from './cluster-image.ts';
import { formatImageReference, type ImageReference } from './image-reference.ts';
import type { LabRegistry } from './lab-registry.ts';
import { chooseCopies } from './mirror-plan.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const observed = (image: string, change: Partial<ObservedImage> = {}): ObservedImage => ({
  ...{ namespace: 'web', pod: 'web-0', image, imageId: '' },
  ...change,
});

const asked: string[] = [];
const registry: LabRegistry = {
  hosts: ['10.0.0.10:5000', 'registry.home.lab'],
  plainHttp: true,
  has: (image: ImageReference) => {
    const text = formatImageReference(image);
    asked.push(text);
    if (text.includes('broken')) return Promise.resolve(unknown('it is on fire'));
    return Promise.resolve(text.includes('redis') || text.includes('own') ? present(true) : absent);
  },
};

describe('images of the cluster', () => {
  it('are each told once, however they are written', async () => {
    const images = await toClusterImages(
      [
        observed('nginx', { imageId: `docker.io/library/nginx@${DIGEST}` }),
        observed('docker.io/library/nginx:latest', { namespace: 'api', pod: 'api-0' }),
        observed('nginx', { imageId: `docker.io/library/nginx@${DIGEST}` }),
        observed('busybox', { imageId: DIGEST }),
      ],
      null,
    );
    expect(images).toEqual([
      {
        reference: 'docker.io/library/busybox:latest',
        digests: [],
        namespaces: ['web'],
        pods: [{ namespace: 'web', name: 'web-0' }],
        mirror: null,
      },
      {
        reference: 'docker.io/library/nginx:latest',
        digests: [DIGEST],
        namespaces: ['api', 'web'],
        pods: [
          { namespace: 'api', name: 'api-0' },
          { namespace: 'web', name: 'web-0' },
        ],
        mirror: null,
      },
    ]);
  });

  it("are looked for in the lab's registry, its own where they are", async () => {
    const images = await toClusterImages(
      ['nginx:1', 'redis:8', 'quay.io/broken:1', 'registry.home.lab/own:1', 'Not An Image'].map((image) =>
        observed(image),
      ),
      registry,
    );
    expect(images.map(({ reference, mirror }) => [reference, mirror?.reference, mirror?.present])).toEqual([
      ['docker.io/library/nginx:1', '10.0.0.10:5000/docker.io/library/nginx:1', false],
      ['docker.io/library/redis:8', '10.0.0.10:5000/docker.io/library/redis:8', true],
      ['Not An Image', undefined, undefined],
      ['quay.io/broken:1', '10.0.0.10:5000/quay.io/broken:1', null],
      ['registry.home.lab/own:1', 'registry.home.lab/own:1', true],
    ]);
    expect(asked).toHaveLength(4);
  });

  it('are copied where the registry has not got them, and nodes look for them there', async () => {
    const images = await toClusterImages(
      [
        'nginx:1',
        'redis:8',
        'quay.io/broken:1',
        'registry.home.lab/own:1',
        'docker.elastic.co/a/b:9',
        'Not An Image',
        'other:5000/a:1',
      ].map((image) => observed(image)),
      registry,
    );
    const { copies, skipped } = chooseCopies(images, registry);
    expect(copies.map(formatImageReference)).toEqual(['docker.io/library/nginx:1', 'quay.io/broken:1']);
    expect(skipped).toEqual([
      {
        reference: 'docker.elastic.co/a/b:9',
        because: "No node looks for images of docker.elastic.co in the lab's registry.",
      },
      { reference: 'docker.io/library/redis:8', because: 'The registry has it.' },
      { reference: 'Not An Image', because: 'It is no reference to an image.' },
      {
        reference: 'other:5000/a:1',
        because: 'Its registry has a port, which cannot be part of a path in another.',
      },
      { reference: 'registry.home.lab/own:1', because: "It comes from the lab's registry." },
    ]);
    expect(chooseCopies(images, registry, ['docker.elastic.co']).copies).toHaveLength(1);
  });

  it('are no more than one Job can tell of', () => {
    const images = Array.from({ length: 1_002 }, (_, n) => ({
      ...{ reference: `docker.io/a/b:${n}`, digests: [], namespaces: [], pods: [], mirror: null },
    }));
    const { copies, skipped } = chooseCopies(images, registry);
    expect([copies.length, skipped.length]).toEqual([1_000, 2]);
  });
});
