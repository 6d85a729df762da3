import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type Job,
  type JobsOptions,
  runMigrations,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import {
  lookForAbandonedEveryMs,
  type QueueName,
  type QueuePolicy,
  QUEUES,
  TAKEOVER_AFTER_MS,
} from './queue-registry.ts';

/** Where the queues are: in Redis, or in PostgreSQL. */
export type QueueLocation = { redisUrl: string } | { databaseUrl: string };

/** BullMQ's producing end of a queue, as far as it is used here. */
export interface BullQueue {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>;
  getWaitingCount(): Promise<number>;
  getJobs(types: 'waiting'[], start: number, end: number, asc: boolean): Promise<{ timestamp: number }[]>;
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

/** BullMQ's consuming end of a queue, as far as it is used here. */
export interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: Job | undefined, error: Error) => void): unknown;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

export interface ConsumerOptions {
  /** Left out: as the registry says. */
  concurrency?: number | undefined;
  /** How long work stays with a worker that gives no sign. Default 15,000. */
  takeoverAfterMs?: number | undefined;
}

/** Opens both ends of queues. Redis and PostgreSQL differ in here and nowhere else. */
export interface BullBackend {
  openQueue(name: QueueName): BullQueue;
  openWorker(name: QueueName, process: (job: Job) => Promise<void>, options?: ConsumerOptions): BullWorker;
  /** What is not connected gives up, and can be closed. */
  stopReconnecting(): void;
}

/** Longest that a producer waits for a connection, or for the answer to one command. */
export const PRODUCER_TIMEOUT_MS = 2_000;

const WORKER_TIMEOUT_MS = 30_000;
const PREFIX = 'bramble';
const SCHEMA = 'bullmq';
/** BullMQ keeps a stream of events for each queue, which nobody here reads. */
const KEPT_EVENTS = 100;
/** Pause of a worker after its connection failed; BullMQ's own 15 s are long for a job that waits. */
const RETRY_AFTER_ERROR_MS = 1_000;

/** @throws Error where the queues are to be in PostgreSQL and that cannot be reached */
export async function bullBackend(location: QueueLocation): Promise<BullBackend> {
  if ('redisUrl' in location) return redisBackend(location.redisUrl);
  await migrateQueues(location.databaseUrl);
  return postgresBackend(location.databaseUrl);
}

function redisBackend(url: string): BullBackend {
  let stopped = false;
  const retryStrategy = (attempt: number) => (stopped ? null : Math.min(attempt * 200, 2_000));
  const connection = { url, retryStrategy };
  const ends = endsWith(
    createRedisBackend,
    {
      ...connection,
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: PRODUCER_TIMEOUT_MS,
      commandTimeout: PRODUCER_TIMEOUT_MS,
    },
    { ...connection, maxRetriesPerRequest: null },
  );
  return {
    ...ends,
    stopReconnecting: () => {
      stopped = true;
    },
  };
}

function postgresBackend(connectionString: string): BullBackend {
  const connection = {
    connectionString,
    schema: SCHEMA,
    keepAlive: true,
    application_name: 'bramble queues',
  };
  const ends = endsWith(
    createPostgresBackend,
    {
      ...connection,
      // Every queue has a pool of its own, and fills it at once when it is opened.
      max: 2,
      connectionTimeoutMillis: PRODUCER_TIMEOUT_MS,
      query_timeout: PRODUCER_TIMEOUT_MS,
      statement_timeout: PRODUCER_TIMEOUT_MS,
    },
    { ...connection, max: 4, connectionTimeoutMillis: WORKER_TIMEOUT_MS, query_timeout: WORKER_TIMEOUT_MS },
  );
  // Each statement takes a connection from a pool, which makes one when it needs one.
  return { ...ends, stopReconnecting: () => {} };
}

function endsWith<Backend extends IQueueBackend, Connection>(
  factory: BackendFactory<Backend, Connection>,
  producer: Connection,
  consumer: Connection,
): Pick<BullBackend, 'openQueue' | 'openWorker'> {
  const { Queue, Worker } = withBackend(factory);
  return {
    openQueue: (name) =>
      new Queue(name, {
        connection: producer,
        prefix: PREFIX,
        streams: { events: { maxLen: KEPT_EVENTS } },
        defaultJobOptions: entryOptions(QUEUES[name]),
      }),
    openWorker: (name, process, { concurrency, takeoverAfterMs = TAKEOVER_AFTER_MS } = {}) => {
      const policy = QUEUES[name];
      return new Worker(name, process, {
        connection: consumer,
        prefix: PREFIX,
        concurrency: concurrency ?? policy.concurrency,
        lockDuration: takeoverAfterMs,
        stalledInterval: lookForAbandonedEveryMs(takeoverAfterMs),
        maxStalledCount: policy.maxStalledCount,
        runRetryDelay: RETRY_AFTER_ERROR_MS,
      });
    },
  };
}

function entryOptions(policy: QueuePolicy) {
  const { attempts, backoff, removeOnComplete, removeOnFail } = policy;
  return {
    attempts,
    removeOnComplete,
    removeOnFail,
    ...(backoff === null ? {} : { backoff: { type: backoff.type, delay: backoff.delayMs } }),
  };
}

/** Apart from the producers, whose time limits a migration on a slow machine would overrun. */
async function migrateQueues(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: WORKER_TIMEOUT_MS });
  await client.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}
