import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';
import { type Answer, present, unknown } from '#core/vocabulary/answer';
import { type KubernetesAccess, loadKubernetes } from '../kubernetes-access.ts';
import { type ApiAnswer, ApiRefusal } from './api-refusal.ts';
import { describeFailure } from './describe-failure.ts';
import { Unanswerable } from './unanswerable.ts';

export interface ApiServerOptions {
  access: KubernetesAccess;
  /** For one question of the port, however many calls it takes. */
  timeoutMs: number;
}

export type Query = Readonly<Record<string, string | number | boolean>>;

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: object;
  contentType?: string;
  accept?: string;
  /** Less than what is left for the whole. */
  timeoutMs?: number;
}

/** Calls at the same time: a small control plane on a Raspberry Pi has other clients, too. */
const MAX_CALLS_AT_ONCE = 8;
const OBJECTS_PER_CALL = 500;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

interface Connection {
  server: string;
  agent: HttpAgent;
  headers: Record<string, string>;
  /** What proves who is on either end. */
  credentials: RequestOptions;
  deadline: AbortSignal;
}

/**
 * Connections to the API server for the time that `work` takes. They are shared by its calls, at most eight at once,
 * and none is left behind.
 * @returns unknown where the API server cannot be asked, does not answer in time, or does not allow it
 */
export async function askApiServer<T>(
  options: ApiServerOptions,
  work: (api: ApiSession) => Promise<T>,
): Promise<Answer<T>> {
  const { access, timeoutMs } = options;
  // Loaded where a cluster is configured only: it takes 90 MB.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  let agent: HttpAgent | undefined;
  let server = '';
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    server = loadKubernetes(access, config).server;
    const connect = async (): Promise<T> => {
      const connection = await openConnection(config, server, deadline);
      agent = connection.agent;
      return work(new ApiSession(connection));
    };
    // A program that the kubeconfig names may hang as well, before any call is made.
    return present(await Promise.race([connect(), overdue(deadline)]));
  } catch (error) {
    if (error instanceof KubernetesUnavailable || error instanceof Unanswerable)
      return unknown(error.message);
    if (deadline.aborted) return unknown(`The API server ${server} has not answered within ${timeoutMs} ms`);
    return unknown(describeFailure(server, error));
  } finally {
    agent?.destroy();
  }
}

/** Calls of Kubernetes' HTTP API. Typed clients know no kinds but their own, and those of charts are many. */
export class ApiSession {
  readonly #connection: Connection;
  #now = new Date();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** By the clock of the API server, as of its last answer: ages are told from its own time stamps. */
  get now(): Date {
    return this.#now;
  }

  /** Any status is an answer. */
  async call(path: string, call: Call = {}): Promise<ApiAnswer> {
    const { deadline } = this.#connection;
    const signal =
      call.timeoutMs === undefined
        ? deadline
        : AbortSignal.any([deadline, AbortSignal.timeout(call.timeoutMs)]);
    const { response, text } = await send(this.#connection, path, call, signal);
    const now = new Date(response.headers.date ?? '');
    if (!Number.isNaN(now.getTime())) this.#now = now;
    return { status: response.statusCode ?? 0, text };
  }

  /**
   * @returns undefined where there is no such thing
   * @throws ApiRefusal
   */
  async get<T>(path: string, call: Call = {}): Promise<T | undefined> {
    const answer = await this.call(path, call);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new ApiRefusal('GET', path, answer);
    return JSON.parse(answer.text) as T;
  }

  /**
   * All pages.
   * @throws ApiRefusal
   */
  async list<T>(path: string, { query, ...call }: Call = {}): Promise<T[]> {
    const items: T[] = [];
    let from: string | undefined;
    do {
      const page = await this.get<{ items: T[]; metadata?: { continue?: string } }>(path, {
        ...call,
        query: { ...query, limit: OBJECTS_PER_CALL, ...(from ? { continue: from } : {}) },
      });
      items.push(...(page?.items ?? []));
      from = page?.metadata?.continue;
    } while (from);
    return items;
  }
}

async function openConnection(
  config: KubeConfig,
  server: string,
  deadline: AbortSignal,
): Promise<Connection> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { headers, ca, cert, key, pfx, passphrase, servername, auth } = options;
  const isProxied = config.getCurrentCluster()?.proxyUrl !== undefined;
  const agent =
    isProxied && options.agent instanceof HttpAgent ? options.agent : new Agent({ keepAlive: true });
  agent.maxSockets = MAX_CALLS_AT_ONCE;
  return {
    ...{ server, agent, deadline, headers: (headers ?? {}) as Record<string, string> },
    credentials: given({ ca, cert, key, pfx, passphrase, servername, auth }),
  };
}

function send(
  { server, agent, headers, credentials }: Connection,
  path: string,
  { method = 'GET', query = {}, body, contentType = 'application/json', accept = 'application/json' }: Call,
  signal: AbortSignal,
): Promise<{ response: IncomingMessage; text: string }> {
  const url = new URL(`${server.replace(/\/$/, '')}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ...credentials,
        ...{ method, agent, signal },
        headers: { ...headers, accept, ...(text === undefined ? {} : { 'content-type': contentType }) },
      },
      (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > MAX_ANSWER_BYTES)
            response.destroy(new Error(`${path} is answered with more than ${MAX_ANSWER_BYTES} bytes`));
          else parts.push(part);
        });
        response.once('error', reject);
        response.once('end', () => resolve({ response, text: Buffer.concat(parts).toString('utf8') }));
      },
    );
    sent.once('error', reject).end(text);
  });
}

function overdue(deadline: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('overdue')), { once: true });
  });
}

/** Options that are there: Node takes an undefined one for a value. */
const given = (options: { [Key in keyof RequestOptions]: RequestOptions[Key] | undefined }): RequestOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
