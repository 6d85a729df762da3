import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImageReference } from '#core/services/mirror/image-reference';
import { HttpLabRegistry } from './http-lab-registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const MANIFESTS = '/v2/docker.io/library/nginx/manifests';
const STATUS: Record<string, number> = {
  [`${MANIFESTS}/1.27`]: 200,
  [`${MANIFESTS}/${encodeURIComponent(DIGEST)}`]: 200,
  [`${MANIFESTS}/broken`]: 500,
};

let server: Server;
let registry: HttpLabRegistry;
const asked: [string | undefined, string | undefined][] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push([request.method, request.headers.accept]);
    response.writeHead(STATUS[request.url ?? ''] ?? 404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  registry = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => void server.close());

const open = (url: string) => new HttpLabRegistry({ url, aliases: ['registry.home.lab'], timeoutMs: 1_000 });
const has = (reference: string, of = registry) => {
  const image = readImageReference(`registry.home.lab/docker.io/library/${reference}`);
  if (image === undefined) throw new Error(reference);
  return of.has(image);
};

describe("the lab's registry", () => {
  it.each([
    ['nginx:1.27', 'present'],
    [`nginx@${DIGEST}`, 'present'],
    [`nginx:1.27@${DIGEST}`, 'present'],
    [`nginx:1.28@${DIGEST}`, 'absent'],
    ['nginx:1.28', 'absent'],
    ['redis:8', 'absent'],
    ['nginx:broken', 'unknown'],
  ])('is asked for %s: %s', async (reference, kind) => {
    expect((await has(reference)).kind).toBe(kind);
  });

  it('is asked without anything being sent back, in all formats of manifests', () => {
    for (const [method, accept] of asked) {
      expect(method).toBe('HEAD');
      expect(accept).toMatch(/oci\.image\.index.*docker\.distribution\.manifest\.list/);
    }
  });

  it('is not known to have anything where it does not answer', async () => {
    expect(await has('nginx:1.27', open('http://127.0.0.1:1'))).toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining('The registry http://127.0.0.1:1 cannot be asked') as string,
    });
  });

  it('has the host of its URL first among its names', () => {
    expect(open('http://10.0.0.10:5000')).toMatchObject({
      hosts: ['10.0.0.10:5000', 'registry.home.lab'],
      plainHttp: true,
    });
    expect(open('https://registry.home.lab')).toMatchObject({
      hosts: ['registry.home.lab'],
      plainHttp: false,
    });
  });
});
