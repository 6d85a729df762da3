import { describe, expect, it } from 'vitest';
import { formatImageReference, mirroredReference, readImageReference } from './image-reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const inFull = (text: string) => {
  const read = readImageReference(text);
  return read === undefined ? undefined : formatImageReference(read);
};

describe('a reference to an image', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['grafana/grafana:12.0', 'docker.io/grafana/grafana:12.0'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
    ['quay.io/skopeo/stable:v1.22.2', 'quay.io/skopeo/stable:v1.22.2'],
    ['registry.home.lab/bramble/api', 'registry.home.lab/bramble/api:latest'],
    ['10.0.0.10:5000/api:2', '10.0.0.10:5000/api:2'],
    ['registry:5000/a/b', 'registry:5000/a/b:latest'],
    ['localhost/x:1', 'localhost/x:1'],
    ['Registry/x:1', 'Registry/x:1'],
    ['[fd00::1]:5000/x:1', '[fd00::1]:5000/x:1'],
    [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `docker.io/library/nginx:1.27@${DIGEST}`],
    [`ghcr.io/a/b_c/d--e@${DIGEST}`, `ghcr.io/a/b_c/d--e@${DIGEST}`],
  ])('%s is %s', (text, expected) => {
    expect(inFull(text)).toBe(expected);
    expect(inFull(expected)).toBe(expected);
  });

  it.each([
    '',
    'NGINX',
    'nginx:',
    'nginx:-1',
    'nginx:1 --dest=x',
    'nginx@sha256:abc',
    `nginx@${DIGEST}@${DIGEST}`,
    'quay.io/',
    'quay.io//x',
    '../etc/passwd',
    'a/$(reboot)',
    'registry:port/x',
    `registry.home.lab/${'a'.repeat(256)}`,
    'nginx\n:1',
  ])('%j is none', (text) => {
    expect(readImageReference(text)).toBeUndefined();
  });

  it("is kept below its registry's name in the lab's registry", () => {
    const mirrored = (text: string) => {
      const image = readImageReference(text);
      const place = image && mirroredReference(image, '10.0.0.10:5000');
      return place && formatImageReference(place);
    };
    expect(mirrored(`nginx:1.27@${DIGEST}`)).toBe(`10.0.0.10:5000/docker.io/library/nginx:1.27@${DIGEST}`);
    expect(mirrored('registry:5000/x:1')).toBeUndefined();
  });
});
