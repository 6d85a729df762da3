import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  ApiError,
  type BrambleOptions,
  ConnectionError,
  type Job,
  type LogLine,
  NotFoundError,
} from '../index.ts';
import { openEventStream, serverSentEvent, writeAndBreak } from '../testing/event-stream.ts';
import { JOB_ID, jobResource } from '../testing/job-resource.ts';
import {
  answerJson,
  answerProblem,
  clientOf,
  type LocalServer,
  localServer,
  type ReceivedRequest,
} from '../testing/local-server.ts';

type LogAnswer = (request: ReceivedRequest, response: ServerResponse, count: number) => void;

/** A server with one job, whose log is answered by `answer`. */
async function logServer(answer: LogAnswer): Promise<LocalServer> {
  const server = await localServer((request, response) => {
    if (request.path !== `/v1/jobs/${JOB_ID}/logs`) {
      answerJson(response, jobResource());
      return;
    }
    const count = logRequests(server).length - 1;
    answer(request, response, count);
  });
  return server;
}

const logRequests = ({ requests }: LocalServer) => requests.filter(({ path }) => path.endsWith('/logs'));
const jobOn = (server: LocalServer, options?: BrambleOptions): Promise<Job> =>
  clientOf(server, options).jobs.get(JOB_ID);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);

/** The events of a log from a byte on, `size` bytes in each, and the end. */
function eventsOf(log: string, from: number, size: number): string {
  const bytes = Buffer.from(log);
  let events = '';
  for (let start = from; start < bytes.length; start += size) {
    const end = Math.min(bytes.length, start + size);
    const text = bytes.subarray(start, end).toString();
    events += serverSentEvent('log', { stream: 'stdout', offset: start, text }, end);
  }
  return events + serverSentEvent('end', { state: 'completed' });
}

const LOG = Array.from({ length: 40 }, (_, line) => `rank ${line} of 40\n`).join('') + 'no line end';
const LINES = LOG.split('\n');

describe('logs', () => {
  it('reads lines with their offsets, and asks for what the options say', async () => {
    const server = await logServer((_, response) => {
      openEventStream(response);
      response.end(eventsOf(LOG, 0, 7));
    });
    const lines = await all((await jobOn(server)).logs({ stream: 'stderr', tail: 5 }));
    expect(texts(lines)).toEqual(LINES);
    expect(lines[2]).toEqual({ text: 'rank 2 of 40', stream: 'stderr', offset: 26 });
    const [{ query, headers } = expect.unreachable()] = logRequests(server);
    expect(Object.fromEntries(query)).toEqual({ stream: 'stderr', follow: 'false', tail: '5' });
    expect(headers.accept).toBe('text/event-stream');
    expect(headers['last-event-id']).toBeUndefined();
  });

  it('goes on where it was after each break, and loses and doubles no line', async () => {
    const server = await logServer((request, response, count) => {
      const from = Number(request.headers['last-event-id'] ?? 0);
      openEventStream(response);
      const events = eventsOf(LOG, from, 7);
      // Each connection breaks at another place, most of them inside an event.
      if (count < 8) writeAndBreak(response, events.slice(0, 300 + 37 * count));
      else response.end(events);
    });
    expect(texts(await all((await jobOn(server)).logs({ follow: true, tail: 100 })))).toEqual(LINES);
    const [first, second] = logRequests(server);
    expect(first?.query.get('tail')).toBe('100');
    expect(second?.query.get('tail')).toBeNull();
    expect(second?.query.get('offset')).toBe(second?.headers['last-event-id']);
  });

  it('reconnects where the server closes the stream without an end, and over errors that pass', async () => {
    const server = await logServer((request, response, count) => {
      if (count === 1) {
        answerProblem(response, 503, 'not_ready');
        return;
      }
      if (count === 2) return void response.destroy();
      openEventStream(response);
      const from = Number(request.headers['last-event-id'] ?? 0);
      if (count === 0) response.end(serverSentEvent('log', { offset: 0, text: LOG.slice(0, 20) }, 20));
      else response.end(eventsOf(LOG, from, 50));
    });
    expect(texts(await all((await jobOn(server)).logs({ follow: true })))).toEqual(LINES);
  });

  it('drops what a server sends twice', async () => {
    const server = await logServer((_, response, count) => {
      openEventStream(response);
      const events = eventsOf(LOG, 0, 10);
      if (count === 0) writeAndBreak(response, events.slice(0, 400));
      else response.end(events);
    });
    expect(texts(await all((await jobOn(server)).logs({ follow: true })))).toEqual(LINES);
  });

  it('takes silence for a broken connection, but not silence with keep-alives', async () => {
    const server = await logServer((_, response, count) => {
      openEventStream(response);
      if (count === 0) return;
      const beat = setInterval(() => response.write(': keep-alive\n\n'), 100);
      setTimeout(() => {
        clearInterval(beat);
        response.end(eventsOf(LOG, 0, 100));
      }, 1000);
    });
    const job = await jobOn(server, { streamTimeoutMs: 500 });
    expect(texts(await all(job.logs({ follow: true })))).toEqual(LINES);
    expect(logRequests(server)).toHaveLength(2);
  });

  it('does not count the time that the reader of the lines takes', async () => {
    const server = await logServer((_, response) => {
      openEventStream(response);
      response.end(eventsOf('one\ntwo\n', 0, 4));
    });
    const job = await jobOn(server, { streamTimeoutMs: 300 });
    for await (const { text } of job.logs({ follow: true })) {
      expect(text).toMatch(/one|two/);
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    expect(logRequests(server)).toHaveLength(1);
  });

  it('gives up after maxReconnects attempts without a word', async () => {
    const server = await logServer((_, response, count) => {
      if (count > 0) return void response.destroy();
      openEventStream(response);
      writeAndBreak(response, serverSentEvent('log', { offset: 0, text: 'one\n' }, 4));
    });
    const job = await jobOn(server, { maxReconnects: 4 });
    const lines: string[] = [];
    const reading = (async () => {
      for await (const { text } of job.logs({ follow: true })) lines.push(text);
    })();
    await expect(reading).rejects.toBeInstanceOf(ConnectionError);
    expect(lines).toEqual(['one']);
    expect(logRequests(server)).toHaveLength(5);
  });

  it('throws at once what the API refuses, also when it reconnects', async () => {
    const server = await logServer((_, response, count) => {
      if (count > 0) {
        answerProblem(response, 404, 'not_found');
        return;
      }
      openEventStream(response);
      writeAndBreak(response, serverSentEvent('log', { offset: 0, text: 'one\n' }, 4));
    });
    await expect(all((await jobOn(server)).logs({ follow: true }))).rejects.toBeInstanceOf(NotFoundError);
    expect(logRequests(server)).toHaveLength(2);
  });

  it('refuses an answer that is no event stream', async () => {
    const server = await logServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end('<html></html>');
    });
    await expect(all((await jobOn(server)).logs())).rejects.toBeInstanceOf(ApiError);
    expect(logRequests(server)).toHaveLength(1);
  });

  it('closes the connection where the reader has had enough', async () => {
    let closed = false;
    const server = await logServer((_, response) => {
      response.once('close', () => (closed = true));
      openEventStream(response);
      response.write(serverSentEvent('log', { offset: 0, text: 'one\ntwo\n' }, 8));
    });
    for await (const { text } of (await jobOn(server)).logs({ follow: true })) {
      expect(text).toBe('one');
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });

  it('rejects with the reason of the signal', async () => {
    const server = await logServer((_, response) => {
      openEventStream(response);
      response.write(serverSentEvent('log', { offset: 0, text: 'one\n' }, 4));
    });
    const controller = new AbortController();
    const lines = (await jobOn(server)).logs({ follow: true, signal: controller.signal });
    expect((await lines.next()).value).toMatchObject({ text: 'one' });
    const next = lines.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('logText', () => {
  it('reads the log as it is, with characters that the network cuts', async () => {
    const log = Buffer.from('é🫐\r\n'.repeat(1000));
    const server = await logServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.write(log.subarray(0, 1001), () => setTimeout(() => response.end(log.subarray(1001)), 10));
    });
    expect(await (await jobOn(server)).logText({ stream: 'stderr', offset: 3 })).toBe(log.toString());
    const [{ query, headers } = expect.unreachable()] = logRequests(server);
    expect(Object.fromEntries(query)).toEqual({ stream: 'stderr', offset: '3' });
    expect(headers.accept).toBe('text/plain');
  });
});
