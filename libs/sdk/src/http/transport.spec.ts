import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ApiError,
  AuthenticationError,
  ConflictError,
  ConnectionError,
  InvalidRequestError,
  NotFoundError,
  PermissionError,
  ServerError,
  TimeoutError,
  UnprocessableError,
} from '../index.ts';
import { answerJson, answerProblem, clientOf, localServer, TEST_KEY } from '../testing/local-server.ts';
import { JOB_ID, jobResource } from '../testing/job-resource.ts';

describe('retries', () => {
  it('submits again with the same Idempotency-Key and the same body until there is an answer', async () => {
    const server = await localServer((_, response, count) => {
      if (count === 0) response.destroy();
      else if (count === 1) answerProblem(response, 503, 'not_ready');
      else answerJson(response, jobResource(), 202);
    });
    const job = await clientOf(server).jobs.submit({ command: ['hostname'] });
    expect(job.id).toBe(JOB_ID);
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(server.requests.map(({ body }) => body.toString())).size).toBe(1);
  });

  it('gives each submission a key of its own, and takes that of the caller', async () => {
    const server = await localServer((_, response) => answerJson(response, jobResource(), 202));
    const { jobs } = clientOf(server);
    await jobs.submit({ command: ['a'] });
    await jobs.submit({ command: ['a'] });
    await jobs.submit({ command: ['a'] }, { idempotencyKey: 'night-42' });
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('night-42');
  });

  it('does not send a POST again that is not known to be safe', async () => {
    const server = await localServer((_, response) => answerProblem(response, 503, 'not_ready'));
    const creation = clientOf(server).admin.users.create({ name: 'bob', role: 'user' });
    await expect(creation).rejects.toBeInstanceOf(ServerError);
    expect(server.requests).toHaveLength(1);
  });

  it('does not send a DELETE again', async () => {
    const server = await localServer((_, response) => void response.destroy());
    await expect(clientOf(server).admin.keys.revoke('key_1')).rejects.toBeInstanceOf(ConnectionError);
    expect(server.requests).toHaveLength(1);
  });

  it('gives up after maxRetries', async () => {
    const server = await localServer((_, response) => answerProblem(response, 500, 'internal'));
    await expect(clientOf(server, { maxRetries: 2 }).cluster()).rejects.toBeInstanceOf(ServerError);
    expect(server.requests).toHaveLength(3);
  });

  it('does not repeat what was refused', async () => {
    const server = await localServer((_, response) => answerProblem(response, 404, 'not_found'));
    await expect(clientOf(server).jobs.get(JOB_ID)).rejects.toBeInstanceOf(NotFoundError);
    expect(server.requests).toHaveLength(1);
  });

  it('repeats an answer that broke off in the middle', async () => {
    const server = await localServer((_, response, count) => {
      if (count > 0) {
        answerJson(response, jobResource());
        return;
      }
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write('{"id":', () => response.destroy());
    });
    expect((await clientOf(server).jobs.get(JOB_ID)).id).toBe(JOB_ID);
    expect(server.requests).toHaveLength(2);
  });

  it('waits as long as Retry-After asks for', async () => {
    const times: number[] = [];
    const server = await localServer((_, response, count) => {
      times.push(performance.now());
      if (count === 0) answerProblem(response, 503, 'not_ready', { headers: { 'Retry-After': '1' } });
      else answerJson(response, jobResource());
    });
    await clientOf(server).jobs.get(JOB_ID);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
  });

  it('hands the error out where Retry-After asks for more than a minute', async () => {
    const server = await localServer((_, response) =>
      answerProblem(response, 503, 'not_ready', { headers: { 'Retry-After': '3600' } }),
    );
    await expect(clientOf(server).cluster()).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(server.requests).toHaveLength(1);
  });
});

describe('time limits and aborts', () => {
  it('throws TimeoutError where no answer comes in time', async () => {
    const server = await localServer(() => {});
    const call = clientOf(server, { timeoutMs: 50, maxRetries: 1 }).cluster();
    await expect(call).rejects.toBeInstanceOf(TimeoutError);
    expect(server.requests).toHaveLength(2);
  });

  it('throws TimeoutError where the body of an answer stops coming', async () => {
    const server = await localServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write('{');
    });
    const call = clientOf(server, { timeoutMs: 50, maxRetries: 0 }).cluster();
    await expect(call).rejects.toBeInstanceOf(TimeoutError);
  });

  it('rejects with the reason of the signal, in a request as in a pause', async () => {
    const server = await localServer((_, response, count) => {
      if (count > 0) answerProblem(response, 503, 'not_ready', { headers: { 'Retry-After': '30' } });
    });
    for (const reason of [new Error('changed my mind'), new DOMException('gone', 'AbortError')]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 50);
      await expect(clientOf(server).cluster({ signal: controller.signal })).rejects.toBe(reason);
    }
    expect(server.requests).toHaveLength(2);
  });

  it('sends nothing where the signal is aborted already', async () => {
    const server = await localServer((_, response) => answerJson(response, {}));
    await expect(clientOf(server).cluster({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('errors', () => {
  it.each([
    [400, InvalidRequestError],
    [401, AuthenticationError],
    [403, PermissionError],
    [404, NotFoundError],
    [409, ConflictError],
    [413, ApiError],
    [422, UnprocessableError],
    [500, ServerError],
    [503, ServerError],
  ])('%i is a %o', async (status, Class) => {
    const faults = [{ field: 'mpi.source.name', message: 'must be a file name' }];
    const server = await localServer((_, response) =>
      answerProblem(response, status, 'some_code', { faults }),
    );
    const error = await clientOf(server, { maxRetries: 0 })
      .jobs.get(JOB_ID)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Class);
    expect(error).toMatchObject({
      name: Class.name,
      status,
      code: 'some_code',
      detail: 'It is not right.',
      requestId: 'req-12345678',
      faults,
      message: 'It is not right.\n  mpi.source.name: must be a file name',
    });
  });

  it('tells of an answer that a proxy gave', async () => {
    const server = await localServer((_, response) => {
      response.writeHead(502, { 'Content-Type': 'text/html', 'X-Request-Id': 'from-the-proxy' });
      response.end('<html><h1>502 Bad Gateway</h1></html>');
    });
    const error = await clientOf(server, { maxRetries: 0 })
      .cluster()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ status: 502, code: 'http_502', requestId: 'from-the-proxy', faults: [] });
    expect(String(error)).toContain('502 Bad Gateway (text/html)');
  });

  it('tells of a page where JSON was expected', async () => {
    const server = await localServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end('<html>Welcome to the hotel</html>');
    });
    await expect(clientOf(server).cluster()).rejects.toMatchObject({
      code: 'unexpected_answer',
      status: 200,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('follows no redirect', async () => {
    const other = await localServer((_, response) => answerJson(response, {}));
    const server = await localServer((_, response) => {
      response.writeHead(308, { Location: `${other.url}/v1/jobs` });
      response.end();
    });
    const submission = clientOf(server).jobs.submit({ command: ['hostname'] });
    await expect(submission).rejects.toMatchObject({ status: 308, code: 'unexpected_answer' });
    expect(other.requests).toHaveLength(0);
  });

  it('throws ConnectionError where nobody listens, with what the system said', async () => {
    const { url } = await closedServer();
    const error = await clientOf({ url, requests: [] }, { maxRetries: 1 })
      .cluster()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain('ECONNREFUSED');
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('never shows the API key', async () => {
    const echo = await localServer((request, response) =>
      answerProblem(response, 401, 'unauthenticated', {
        detail: `no such key: ${String(request.headers.authorization)}`,
      }),
    );
    const talkative = (_: unknown, init?: RequestInit): Promise<Response> => {
      throw Object.assign(new Error(`failed with ${JSON.stringify(init?.headers)}`), { request: init });
    };
    const clients = [clientOf(echo), clientOf(echo, { fetch: talkative, maxRetries: 0 })];
    for (const client of clients) {
      const error = await client.cluster().catch((thrown: unknown) => thrown);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(TEST_KEY);
      expect(inspect(client, { depth: 10, showHidden: true })).not.toContain(TEST_KEY);
      expect(JSON.stringify(client)).not.toContain(TEST_KEY);
    }
  });
});

async function closedServer(): Promise<{ url: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${port}` };
}
