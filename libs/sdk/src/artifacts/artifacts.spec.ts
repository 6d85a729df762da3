import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Artifact, ConnectionError, UnsafePathError } from '../index.ts';
import { Bramble as WebBramble, fileFrom as fileFromInBrowser, UnsupportedError } from '../web.ts';
import { answerJson, clientOf, localServer, TEST_KEY } from '../testing/local-server.ts';

const CONTENT = randomBytes(5000);
const ARTIFACT: Artifact = {
  id: 'art_1',
  name: 'mesh.dat',
  size: CONTENT.length,
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
  createdAt: '2031-04-05T06:07:08.000Z',
};

const contentServer = (artifact: Artifact = ARTIFACT) =>
  localServer(({ path, query }, response) => {
    if (path.endsWith('/content')) response.end(CONTENT);
    else if (path === '/v1/artifacts/art_1') answerJson(response, artifact);
    else answerJson(response, { items: [artifact], next: query.has('cursor') ? null : 'more' });
  });

it('lists, reads and downloads', async () => {
  const { artifacts } = clientOf(await contentServer());
  const ids: string[] = [];
  for await (const { id } of artifacts.list()) ids.push(id);
  expect(ids).toEqual(['art_1', 'art_1']);
  expect(CONTENT.equals(await artifacts.content('art_1').bytes())).toBe(true);
  const directory = await mkdtemp(join(tmpdir(), 'bramble-sdk-'));
  const { localPath } = await artifacts.download('art_1', directory);
  expect(localPath).toBe(join(directory, 'mesh.dat'));
  expect(CONTENT.equals(await readFile(localPath))).toBe(true);
});

it('does not download to a place that the name would lead to', async () => {
  const { artifacts } = clientOf(await contentServer({ ...ARTIFACT, name: '../mesh.dat' }));
  await expect(artifacts.download('art_1', tmpdir())).rejects.toBeInstanceOf(UnsafePathError);
});

it('uploads a stream, once and without a digest', async () => {
  const server = await localServer((_, response, count) => {
    if (count === 0) response.destroy();
    else answerJson(response, ARTIFACT, 201);
  });
  const { artifacts } = clientOf(server);
  const upload = () => artifacts.upload({ name: 'mesh.dat', stream: new Blob([CONTENT]).stream() });
  await expect(upload()).rejects.toBeInstanceOf(ConnectionError);
  expect(server.requests).toHaveLength(1);
  expect(await upload()).toEqual(ARTIFACT);
  expect(server.requests[1]?.body.equals(CONTENT)).toBe(true);
  expect(server.requests[1]?.headers['x-content-sha256']).toBeUndefined();
});

it('keeps nothing in memory of what it has uploaded', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const server = createServer((request, response) => {
    request.resume().once('end', () => answerJson(response, ARTIFACT, 201));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sent: WeakRef<ArrayBuffer>[] = [];
  let kept = Infinity;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (sent.length < 100) {
        const chunk = new Uint8Array(1024 * 1024);
        sent.push(new WeakRef(chunk.buffer));
        controller.enqueue(chunk);
        return;
      }
      collectGarbage();
      kept = sent.filter((bytes) => bytes.deref() !== undefined).length;
      controller.close();
    },
  });
  await clientOf({ url, requests: [] }).artifacts.upload({ name: 'large', stream });
  expect(sent).toHaveLength(100);
  expect(kept).toBeLessThan(50);
});

it('uploads and reads in a browser, and says what is not available there', async () => {
  const server = await localServer((request, response) => {
    if (request.method === 'POST') answerJson(response, ARTIFACT, 201);
    else if (request.path.endsWith('/content')) response.end(CONTENT);
    else answerJson(response, ARTIFACT);
  });
  const { artifacts } = new WebBramble({ baseUrl: server.url, apiKey: TEST_KEY });
  const file = await fileFromInBrowser(new File([CONTENT], 'mesh.dat'));
  const progress: number[] = [];
  await artifacts.upload(file, { onProgress: ({ bytes }) => progress.push(bytes) });
  expect(server.requests[0]?.headers['x-content-sha256']).toBe(ARTIFACT.sha256);
  expect(server.requests[0]?.query.get('name')).toBe('mesh.dat');
  expect(progress).toEqual([CONTENT.length]);
  expect(CONTENT.equals(await artifacts.content('art_1').bytes())).toBe(true);
  await expect(artifacts.download('art_1', '.')).rejects.toBeInstanceOf(UnsupportedError);
  await expect(fileFromInBrowser('pi.c')).rejects.toBeInstanceOf(UnsupportedError);
});
