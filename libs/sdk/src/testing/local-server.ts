import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { Bramble } from '../index.ts';
import type { BrambleOptions } from '../bramble-options.ts';

export interface ReceivedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
  json(): unknown;
}

/** Answers a request; `count` says how many requests came before it. */
export type Answer = (
  request: ReceivedRequest,
  response: ServerResponse,
  count: number,
) => void | Promise<void>;

export interface LocalServer {
  url: string;
  requests: ReceivedRequest[];
}

export const TEST_KEY = 'brk_test_0123456789abcdef';

/** A real HTTP server on this machine, for the time of one test. */
export async function localServer(answer: Answer): Promise<LocalServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((incoming, response) => {
    void receive(incoming).then(
      async (request) => {
        requests.push(request);
        await answer(request, response, requests.length - 1);
      },
      () => {},
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** A client of the server that loses no time between repetitions. */
export function clientOf({ url }: LocalServer, options: BrambleOptions = {}): Bramble {
  return new Bramble({ baseUrl: url, apiKey: TEST_KEY, retryDelayMs: 1, ...options });
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const body = await buffer(incoming);
  const url = new URL(incoming.url ?? '/', 'http://local');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    json: () => JSON.parse(body.toString()) as unknown,
  };
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

export function answerProblem(
  response: ServerResponse,
  status: number,
  code: string,
  more: {
    detail?: string;
    faults?: { field: string; message: string }[];
    headers?: Record<string, string>;
  } = {},
): void {
  const { detail = 'It is not right.', faults, headers = {} } = more;
  response.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers });
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: 'Error',
      status,
      code,
      detail,
      requestId: 'req-12345678',
      faults,
    }),
  );
}
