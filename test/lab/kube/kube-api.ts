import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { LabError } from '../lab-error.ts';
import type { Certificate } from './certificates.ts';

export interface KubeAnswer {
  status: number;
  /** JSON, or text where it is none. */
  body: unknown;
}

const TIMEOUT_MS = 10_000;
const MEDIA_TYPES = { POST: 'application/json', PATCH: 'application/merge-patch+json' };

/** Kubernetes' HTTP API as an admin. Client libraries take longer to load than the cluster takes to start. */
export class KubeApi {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, authority: Certificate, own: Certificate) {
    this.#url = url;
    this.#agent = new Agent({
      ca: readFileSync(authority.certificate),
      cert: readFileSync(own.certificate),
      key: readFileSync(own.key),
    });
  }

  /** @throws LabError when it answers anything but what was asked for. */
  async get(path: string): Promise<unknown> {
    return this.#expect('GET', path, await this.ask('GET', path));
  }

  /** Leaves one of that name as it is. */
  async create(path: string, object: object): Promise<void> {
    const answer = await this.ask('POST', path, object);
    if (answer.status !== 409) this.#expect('POST', path, answer);
  }

  /** Changes what `patch` names; null removes. */
  async patch(path: string, patch: object): Promise<void> {
    this.#expect('PATCH', path, await this.ask('PATCH', path, patch));
  }

  /** Any status is an answer. */
  ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<KubeAnswer> {
    const headers = method === 'GET' || method === 'DELETE' ? {} : { 'content-type': MEDIA_TYPES[method] };
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#url),
        { method, headers, agent: this.#agent, signal: AbortSignal.timeout(TIMEOUT_MS) },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.once('error', reject);
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, body: parsed(text) });
          });
        },
      );
      sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #expect(method: string, path: string, { status, body }: KubeAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    throw new LabError(`${method} ${path} was answered with ${status}: ${JSON.stringify(body)}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
