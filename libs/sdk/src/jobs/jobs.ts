import type { JobListQuery, JobResource } from '../api-types.ts';
import { uploadFile } from '../artifacts/upload.ts';
import type { CallOptions } from '../http/api-request.ts';
import { randomKey } from '../http/random-key.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { type Page, Pages } from '../pages.ts';
import type { Platform } from '../platform.ts';
import { Job } from './job.ts';
import type { JobSubmission, SubmitOptions } from './job-submission.ts';
import { sendFiles } from './send-files.ts';

type Filters = Pick<JobListQuery, 'name' | 'owner' | 'limit' | 'cursor'>;

/** `limit` is how many jobs a page holds, 1 to 500; 50 where it is left out. */
export interface JobQuery extends Filters, CallOptions {
  /** Only jobs in this state, or in one of these. */
  state?: JobResource['state'] | readonly JobResource['state'][] | undefined;
  /** Only jobs that have all of these labels. */
  labels?: Record<string, string> | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

export class Jobs {
  readonly #transport: Transport;
  readonly #platform: Platform;

  constructor(transport: Transport, platform: Platform) {
    this.#transport = transport;
    this.#platform = platform;
  }

  /**
   * Submits a job, after its large and binary files have been uploaded. Safe to be repeated, and repeated where the
   * connection breaks: every repetition carries the same `Idempotency-Key`.
   * @throws InvalidRequestError naming every faulty field
   * @throws UnprocessableError where the user has no Unix account to run jobs as
   * @throws ConflictError where `idempotencyKey` was used for another request
   */
  async submit(submission: JobSubmission, options: SubmitOptions = {}): Promise<Job> {
    const { signal, onProgress, idempotencyKey = randomKey() } = options;
    const request = await sendFiles(submission, (file, path) =>
      uploadFile(this.#transport, this.#platform, file, {
        signal,
        onProgress: onProgress && ((progress) => onProgress({ path, ...progress })),
      }),
    );
    const body = JSON.stringify(request);
    const data = await this.#transport.json<JobResource>({
      method: 'POST',
      path: '/v1/jobs',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: () => body,
      repeatable: true,
      signal,
    });
    return this.#job(data);
  }

  /** @throws NotFoundError where there is no such job, or it is somebody else's */
  async get(id: string, { signal }: CallOptions = {}): Promise<Job> {
    const path = requestPath('v1', 'jobs', id);
    return this.#job(await this.#transport.json({ method: 'GET', path, repeatable: true, signal }));
  }

  /** Jobs, newest first: one's own; everybody's for operators and admins. */
  list({ state, labels, createdAfter, createdBefore, cursor, signal, ...rest }: JobQuery = {}): Pages<Job> {
    const query = {
      ...rest,
      state: typeof state === 'string' ? [state] : state,
      label: labels && Object.entries(labels).map(([key, value]) => `${key}=${value}`),
      createdAfter: createdAfter?.toISOString(),
      createdBefore: createdBefore?.toISOString(),
    };
    return new Pages(cursor, async (at) => {
      const { items, next } = await this.#transport.json<Page<JobResource>>({
        method: 'GET',
        path: '/v1/jobs',
        query: { ...query, cursor: at },
        repeatable: true,
        signal,
      });
      return { items: items.map((data) => this.#job(data)), next };
    });
  }

  #job(data: JobResource): Job {
    return new Job(this.#transport, this.#platform, data);
  }
}
