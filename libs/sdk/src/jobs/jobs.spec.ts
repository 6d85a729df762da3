import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Artifact, fileFrom, InvalidRequestError, type JobResource } from '../index.ts';
import { jobResource } from '../testing/job-resource.ts';
import {
  answerJson,
  answerProblem,
  clientOf,
  type LocalServer,
  localServer,
  type ReceivedRequest,
} from '../testing/local-server.ts';

const artifactOf = ({ body, query }: ReceivedRequest, count: number): Artifact => ({
  id: `art_${count}`,
  name: query.get('name') ?? '',
  size: body.length,
  sha256: createHash('sha256').update(body).digest('hex'),
  createdAt: '2031-04-05T06:07:08.000Z',
});

const acceptingServer = () =>
  localServer((request, response, count) => {
    if (request.path === '/v1/artifacts') answerJson(response, artifactOf(request, count), 201);
    else answerJson(response, jobResource(), 202);
  });

const submitted = ({ requests }: LocalServer) => requests.find(({ path }) => path === '/v1/jobs')?.json();
const uploads = ({ requests }: LocalServer) => requests.filter(({ path }) => path === '/v1/artifacts');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bramble-sdk-'));
});

describe('submit', () => {
  it('sends small sources and inputs inline', async () => {
    const server = await acceptingServer();
    await writeFile(join(directory, 'pi.c'), '\ufeffint main(void) { return 0; } // π\n');
    await clientOf(server).jobs.submit({
      name: 'pi',
      mpi: { source: await fileFrom(join(directory, 'pi.c')), args: ['-n'] },
      nodes: 4,
      tasksPerNode: 4,
      timeLimit: '10m',
      inputs: [
        { path: 'run/start.sh', file: { name: 'start.sh', bytes: Buffer.from('#!/bin/sh\n') }, mode: '0755' },
        { path: 'known', artifact: 'art_0' },
      ],
      outputs: ['*.csv'],
    });
    expect(submitted(server)).toEqual({
      name: 'pi',
      mpi: { source: { name: 'pi.c', content: '\ufeffint main(void) { return 0; } // π\n' }, args: ['-n'] },
      nodes: 4,
      tasksPerNode: 4,
      timeLimit: '10m',
      inputs: [
        { path: 'run/start.sh', content: '#!/bin/sh\n', mode: '0755' },
        { path: 'known', artifact: 'art_0' },
      ],
      outputs: ['*.csv'],
    });
    expect(uploads(server)).toHaveLength(0);
  });

  it.each([
    ['large', Buffer.alloc(256 * 1024 + 1, 'x')],
    ['binary', randomBytes(100)],
    ['not UTF-8', Buffer.from([0x61, 0xc3, 0x28])],
    ['with control characters', Buffer.from('\x1b[31mred')],
  ])('uploads a file that is %s first, with its digest', async (_, content) => {
    const server = await acceptingServer();
    const path = join(directory, 'data.bin');
    await writeFile(path, content);
    const progress: string[] = [];
    await clientOf(server).jobs.submit(
      { command: ['./solve'], inputs: [{ path: 'in/data', file: await fileFrom(path) }] },
      { onProgress: ({ path: file, bytes, totalBytes }) => progress.push(`${file} ${bytes}/${totalBytes}`) },
    );
    const [upload = expect.unreachable()] = uploads(server);
    expect(upload.body.equals(content)).toBe(true);
    expect(upload.query.get('name')).toBe('data.bin');
    expect(upload.headers['content-type']).toBe('application/octet-stream');
    expect(upload.headers['x-content-sha256']).toBe(createHash('sha256').update(content).digest('hex'));
    expect(submitted(server)).toMatchObject({ inputs: [{ path: 'in/data', artifact: 'art_0' }] });
    expect(progress.at(-1)).toBe(`in/data ${content.length}/${content.length}`);
  });

  it('uploads what would make the request too large', async () => {
    const server = await acceptingServer();
    const file = { name: 'a.txt', bytes: Buffer.alloc(200 * 1024, 'x') };
    const inputs = ['a', 'b', 'c', 'd'].map((path) => ({ path, file }));
    await clientOf(server).jobs.submit({ command: ['true'], inputs });
    const { inputs: sent } = submitted(server) as { inputs: { artifact?: string }[] };
    expect(sent.map(({ artifact }) => artifact !== undefined)).toEqual([false, false, true, true]);
  });

  it('uploads again what did not get through', async () => {
    const server = await localServer((request, response, count) => {
      if (count === 0) answerProblem(response, 500, 'internal');
      else if (request.path === '/v1/artifacts') answerJson(response, artifactOf(request, count), 201);
      else answerJson(response, jobResource(), 202);
    });
    const source = { name: 'big.c', bytes: new Blob(['x'.repeat(300_000)]) };
    await clientOf(server).jobs.submit({ mpi: { source } }, { onProgress: () => {} });
    expect(uploads(server).map(({ body }) => body.length)).toEqual([300_000, 300_000]);
    expect(submitted(server)).toEqual({ mpi: { source: { name: 'big.c', artifact: 'art_1' } } });
  });

  it('names every faulty field', async () => {
    const faults = [{ field: 'nodes', message: 'must be at least 1' }];
    const server = await localServer((_, response) =>
      answerProblem(response, 400, 'invalid_request', { faults }),
    );
    const submission = clientOf(server).jobs.submit({ command: ['true'], nodes: 0 });
    await expect(submission).rejects.toBeInstanceOf(InvalidRequestError);
    await expect(submission).rejects.toMatchObject({ faults });
  });
});

describe('list', () => {
  const pages: Record<string, { items: JobResource[]; next: string | null }> = {
    '': { items: [jobResource({ name: 'a' }), jobResource({ name: 'b' })], next: 'two' },
    two: { items: [], next: 'three' },
    three: { items: [jobResource({ name: 'c' })], next: null },
  };
  const pagedServer = () =>
    localServer(({ query }, response) => answerJson(response, pages[query.get('cursor') ?? '']));

  it('goes through all pages, and fetches none that is not asked for', async () => {
    const server = await pagedServer();
    const list = clientOf(server).jobs.list();
    const names: string[] = [];
    for await (const { name } of list) names.push(name);
    expect(names).toEqual(['a', 'b', 'c']);
    for await (const { name } of list) if (name === 'a') break;
    expect(server.requests.map(({ query }) => query.get('cursor'))).toEqual([null, 'two', 'three', null]);
  });

  it('gives one page', async () => {
    const server = await pagedServer();
    const { jobs } = clientOf(server);
    const { items, next } = await jobs.list().page();
    expect(items.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(next).toBe('two');
    expect((await jobs.list({ cursor: 'three' }).page()).items).toHaveLength(1);
  });

  it('sends filters as the API wants them', async () => {
    const server = await pagedServer();
    await clientOf(server)
      .jobs.list({
        state: ['queued', 'running'],
        labels: { study: '4=2', stage: '' },
        createdAfter: new Date('2031-04-05T06:07:08Z'),
        limit: 10,
      })
      .page();
    expect(server.requests[0]?.query.toString()).toBe(
      'limit=10&state=queued&state=running&label=study%3D4%3D2&label=stage%3D&createdAfter=2031-04-05T06%3A07%3A08.000Z',
    );
  });
});
