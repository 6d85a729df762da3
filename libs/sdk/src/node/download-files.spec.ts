import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type BrambleOptions, FileExistsError, IntegrityError, UnsafePathError } from '../index.ts';
import { completedJob, JOB_ID } from '../testing/job-resource.ts';
import {
  answerJson,
  answerProblem,
  clientOf,
  type LocalServer,
  localServer,
  type ReceivedRequest,
} from '../testing/local-server.ts';

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const partName = (name: string, content: Uint8Array) => `${name}.${sha256(content).slice(0, 16)}.part`;

interface ServerOptions {
  /** Says something else of a file than what it has. */
  announce?: (path: string, content: Buffer) => { size?: number; sha256?: string };
  /** Answers a request for a file itself, and says whether it did. */
  answer?: (request: ReceivedRequest, response: ServerResponse, content: Buffer, count: number) => boolean;
}

/** A server with one job, which answers its files as the API does: Range, If-Range, ETag. */
async function fileServer(files: Record<string, Buffer>, options: ServerOptions = {}): Promise<LocalServer> {
  const root = `/v1/jobs/${JOB_ID}/`;
  const server = await localServer((request, response) => {
    if (!request.path.startsWith(root)) {
      answerJson(response, completedJob());
      return;
    }
    const name = decodeURIComponent(request.path.slice(root.length));
    if (name === 'outputs') {
      const items = Object.entries(files).map(([path, content]) => ({
        path,
        size: content.length,
        sha256: sha256(content),
        ...options.announce?.(path, content),
      }));
      answerJson(response, { items });
      return;
    }
    const content = files[name.slice('files/'.length)];
    if (content === undefined) {
      answerProblem(response, 404, 'not_found');
      return;
    }
    const count = fileRequests(server).length - 1;
    if (options.answer?.(request, response, content, count) !== true) answerFile(request, response, content);
  });
  return server;
}

function answerFile({ headers }: ReceivedRequest, response: ServerResponse, content: Buffer): void {
  const etag = `"${sha256(content)}"`;
  const condition = headers['if-range'];
  const range = /^bytes=(\d+)-$/.exec(headers.range ?? '');
  if (range === null || (condition !== undefined && condition !== etag)) {
    response.writeHead(200, { 'Content-Length': content.length, ETag: etag });
    response.end(content);
    return;
  }
  const start = Number(range[1]);
  if (start >= content.length) {
    answerProblem(response, 416, 'range_not_satisfiable');
    return;
  }
  const contentRange = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, {
    'Content-Length': content.length - start,
    'Content-Range': contentRange,
    ETag: etag,
  });
  response.end(content.subarray(start));
}

/** Sends the beginning of a file, and breaks the connection once `arrived` says so. */
function breakAfter(
  response: ServerResponse,
  content: Buffer,
  { start, bytes, arrived }: { start: number; bytes: number; arrived: () => boolean },
): void {
  response.writeHead(start === 0 ? 200 : 206, {
    'Content-Length': content.length - start,
    ETag: `"${sha256(content)}"`,
    ...(start === 0 ? {} : { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  response.write(content.subarray(start, start + bytes));
  const looking = setInterval(() => {
    if (!arrived()) return;
    clearInterval(looking);
    response.destroy();
  }, 5);
}

/** Breaks the connection once the beginning is in the .part file of `data.bin`. */
function breakOnceWritten(response: ServerResponse, content: Buffer, start: number, bytes: number): void {
  const part = join(directory, partName('data.bin', content));
  const written = () => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  breakAfter(response, content, { start, bytes, arrived: () => written() >= start + bytes });
}

const fileRequests = ({ requests }: LocalServer) => requests.filter(({ path }) => path.includes('/files/'));
const startOf = ({ headers }: ReceivedRequest) => Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);

const jobOn = (server: LocalServer, options?: BrambleOptions) => clientOf(server, options).jobs.get(JOB_ID);

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'bramble-sdk-')), 'results');
});

const CONTENT = randomBytes(300_000);

describe('outputs.download', () => {
  it('puts the outputs in their places, and reports progress', async () => {
    const files = {
      'pi.csv': Buffer.from('ranks,pi\n'),
      'deep/er/data #1.bin': CONTENT,
      empty: Buffer.alloc(0),
    };
    const server = await fileServer(files);
    const progress: number[] = [];
    let total = 0;
    const downloaded = await (
      await jobOn(server)
    ).outputs.download(directory, {
      onProgress: ({ bytes, totalBytes }) => {
        progress.push(bytes);
        total = totalBytes;
      },
    });
    for (const [path, content] of Object.entries(files)) {
      expect(content.equals(await readFile(join(directory, path)))).toBe(true);
    }
    expect(downloaded.map(({ path }) => path)).toEqual(Object.keys(files));
    expect(downloaded[1]?.localPath).toBe(join(directory, 'deep/er/data #1.bin'));
    expect(total).toBe(300_009);
    expect(progress.at(-1)).toBe(total);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect((await readdir(directory)).toSorted()).toEqual(['deep', 'empty', 'pi.csv']);
  });

  it('goes on by Range where a connection breaks', async () => {
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (request, response, content, count) => {
          if (count < 5) breakOnceWritten(response, content, startOf(request), 50_000);
          return count < 5;
        },
      },
    );
    await (await jobOn(server)).outputs.download(directory);
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
    expect(fileRequests(server).map(startOf)).toEqual([0, 50_000, 100_000, 150_000, 200_000, 250_000]);
    expect(fileRequests(server)[1]?.headers['if-range']).toBe(`"${sha256(CONTENT)}"`);
    expect(fileRequests(server)[1]?.headers['accept-encoding']).toMatch(/^identity(, identity)?$/);
  });

  it('goes on from the .part file of an earlier call', async () => {
    await mkdir(directory);
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (request, response, content, count) => {
          if (count === 0) breakOnceWritten(response, content, startOf(request), 120_000);
          return count === 0;
        },
      },
    );
    const job = await jobOn(server, { maxRetries: 0 });
    await expect(job.outputs.download(directory)).rejects.toMatchObject({ name: 'ConnectionError' });
    expect(await readdir(directory)).toEqual([partName('data.bin', CONTENT)]);
    await job.outputs.download(directory);
    expect(fileRequests(server).map(startOf)).toEqual([0, 120_000]);
    expect(await readdir(directory)).toEqual(['data.bin']);
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
  });

  it('begins anew where the .part file is not a beginning of the content', async () => {
    await mkdir(directory);
    await writeFile(join(directory, partName('data.bin', CONTENT)), randomBytes(1000));
    const server = await fileServer({ 'data.bin': CONTENT });
    await (await jobOn(server)).outputs.download(directory);
    expect(fileRequests(server).map(startOf)).toEqual([1000, 0]);
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
  });

  it('begins anew where the server knows no ranges', async () => {
    await mkdir(directory);
    await writeFile(join(directory, partName('data.bin', CONTENT)), CONTENT.subarray(0, 1000));
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (_, response, content) => {
          response.writeHead(200, { 'Content-Length': content.length });
          response.end(content);
          return true;
        },
      },
    );
    await (await jobOn(server)).outputs.download(directory);
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
  });

  it('needs no request for a .part file that is complete', async () => {
    await mkdir(directory);
    await writeFile(join(directory, partName('data.bin', CONTENT)), CONTENT);
    const server = await fileServer({ 'data.bin': CONTENT });
    await (await jobOn(server)).outputs.download(directory);
    expect(fileRequests(server)).toHaveLength(0);
    expect(await readdir(directory)).toEqual(['data.bin']);
  });

  it.each([
    ['digest', { sha256: '0'.repeat(64) }],
    ['size', { size: 299_999 }],
    ['larger size', { size: 300_001 }],
  ])(
    'throws IntegrityError where the %s is not what was announced, and leaves no file',
    async (_, announced) => {
      const server = await fileServer({ 'data.bin': CONTENT }, { announce: () => announced });
      await expect((await jobOn(server)).outputs.download(directory)).rejects.toBeInstanceOf(IntegrityError);
      expect(await readdir(directory)).toEqual([]);
    },
  );

  it('leaves a file alone that is there already', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'data.bin'), CONTENT);
    const server = await fileServer({ 'data.bin': CONTENT });
    const files = await (await jobOn(server)).outputs.download(directory);
    expect(files).toHaveLength(1);
    expect(fileRequests(server)).toHaveLength(0);
  });

  it('replaces a file of other content only where that is wanted', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'data.bin'), 'mine');
    const job = await jobOn(await fileServer({ 'data.bin': CONTENT }));
    await expect(job.outputs.download(directory)).rejects.toBeInstanceOf(FileExistsError);
    expect(await readFile(join(directory, 'data.bin'), 'utf8')).toBe('mine');
    await job.outputs.download(directory, { overwrite: true });
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
  });

  it.each(['../evil', 'a/../../evil', '/tmp/evil', 'a\\..\\..\\evil', 'a//b', './a', 'a\u0000b', ''])(
    'refuses the path %j, and writes nothing',
    async (path) => {
      const server = await fileServer({ fine: CONTENT, [path]: CONTENT });
      await expect((await jobOn(server)).outputs.download(directory)).rejects.toBeInstanceOf(UnsafePathError);
      await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(fileRequests(server)).toHaveLength(0);
    },
  );

  it('refuses to leave the directory by a symlink', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'bramble-elsewhere-'));
    await mkdir(directory);
    await symlink(elsewhere, join(directory, 'deep'));
    const job = await jobOn(await fileServer({ 'deep/er/data.bin': CONTENT }));
    await expect(job.outputs.download(directory)).rejects.toBeInstanceOf(UnsafePathError);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('does not write through a symlink that stands where the .part file would', async () => {
    const elsewhere = join(await mkdtemp(join(tmpdir(), 'bramble-elsewhere-')), 'precious');
    await writeFile(elsewhere, 'precious');
    await mkdir(directory);
    await symlink(elsewhere, join(directory, partName('data.bin', CONTENT)));
    await (await jobOn(await fileServer({ 'data.bin': CONTENT }))).outputs.download(directory);
    expect(await readFile(elsewhere, 'utf8')).toBe('precious');
    expect(CONTENT.equals(await readFile(join(directory, 'data.bin')))).toBe(true);
  });

  it('stops when the signal is aborted, and keeps what has come', async () => {
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (_, response, content) => {
          response.writeHead(200, { 'Content-Length': content.length });
          response.write(content.subarray(0, 1000));
          return true;
        },
      },
    );
    const controller = new AbortController();
    const download = (await jobOn(server)).outputs.download(directory, {
      signal: controller.signal,
      onProgress: ({ bytes }) => bytes > 0 && controller.abort(),
    });
    await expect(download).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(directory)).toEqual([partName('data.bin', CONTENT)]);
  });
});

describe('file', () => {
  it('reads bytes and text from an offset on, across breaks', async () => {
    let read = 0;
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (request, response, content, count) => {
          const start = startOf(request);
          if (count === 0) breakAfter(response, content, { start, bytes: 1000, arrived: () => read >= 1000 });
          return count === 0;
        },
      },
    );
    const file = (await jobOn(server)).file('data.bin');
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.stream({ offset: 500 })) {
      chunks.push(chunk);
      read += chunk.length;
    }
    expect(Buffer.concat(chunks).equals(CONTENT.subarray(500))).toBe(true);
    expect(fileRequests(server).map(startOf)).toEqual([500, 1500]);
    expect(Buffer.from(await file.bytes({ offset: 500 })).equals(CONTENT.subarray(500))).toBe(true);
  });

  it('does not mix two contents where a file changes while it is read', async () => {
    const server = await fileServer(
      { 'log.txt': CONTENT },
      {
        answer: (_, response, content, count) => {
          if (count > 0) return false;
          response.writeHead(200, { 'Content-Length': content.length, ETag: '"of another content"' });
          response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 10));
          return true;
        },
      },
    );
    await expect((await jobOn(server)).file('log.txt').bytes()).rejects.toBeInstanceOf(IntegrityError);
  });

  it('streams, and closes the connection when the stream is cancelled', async () => {
    let closed = false;
    const server = await fileServer(
      { 'data.bin': CONTENT },
      {
        answer: (_, response, content) => {
          response.once('close', () => (closed = true));
          response.writeHead(200, { 'Content-Length': content.length });
          response.write(content.subarray(0, 1000));
          return true;
        },
      },
    );
    const stream = (await jobOn(server)).file('data.bin').stream();
    expect(fileRequests(server)).toHaveLength(0);
    const reader = stream.getReader();
    expect((await reader.read()).value?.length).toBe(1000);
    await reader.cancel();
    await expect.poll(() => closed).toBe(true);
  });
});
