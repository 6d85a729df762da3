import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { JobQueue } from '#core/jobs/job-store';
import type { DiscoveryQueue } from '#core/nodes/discovery/discovery';
import type { OperationQueue } from '#core/operations/operation-queue';
import { type Answer, present, unknown } from '#core/vocabulary/answer';
import type { Log } from '../database/log.ts';
import {
  bullBackend,
  type BullBackend,
  type BullQueue,
  type BullWorker,
  type ConsumerOptions,
  PRODUCER_TIMEOUT_MS,
  type QueueLocation,
} from './bull-backend.ts';
import { KeptOpen } from './kept-open.ts';
import {
  parsePayload,
  QUEUE_NAMES,
  QUEUE_OF_WORK,
  type QueueName,
  type QueuePayload,
} from './queue-registry.ts';
import { withTimeLimit } from './time-limit.ts';
import { unrepeated } from './unrepeated-log.ts';

export interface QueueCount {
  queue: QueueName;
  /** Entries that no worker has taken yet. */
  depth: number;
  /** How long the oldest of them has waited; 0 where there is none. */
  oldestSeconds: number;
}

export interface WorkerOptions extends ConsumerOptions {
  /** Told after each piece of work, how it went and how long it took. */
  onFinished?: (result: 'done' | 'failed', seconds: number) => void;
}

export interface QueueWorker {
  /** Takes nothing more, and waits for the work under way, at most for `graceMs`; what is left another worker gets. */
  close(graceMs?: number): Promise<void>;
}

const CLOSE_GRACE_MS = 10_000;

/**
 * Opens the queues in Redis or in PostgreSQL. A Redis that is away is waited for in the background: until it is
 * there `add()` fails, which costs a job a few seconds, and nothing else.
 * @throws Error where the queues are to be in PostgreSQL and that cannot be reached
 */
export async function openQueues(location: QueueLocation, log: Log): Promise<Queues> {
  return new Queues(await bullBackend(location), log);
}

/** All queues of the registry. They carry hints about what to look at; the truth is in the database. */
export class Queues {
  readonly #backend: BullBackend;
  readonly #log: Log;
  readonly #queues: ReadonlyMap<QueueName, KeptOpen<BullQueue>>;
  readonly #workers = new Set<QueueWorker>();

  /**
   * A job that is queued for some work already is not queued again. One that is being worked on is queued once more,
   * for afterwards: what the hint was about may have come too late for the work under way.
   */
  readonly jobQueue: JobQueue = {
    add: (work, jobId) => this.#add(QUEUE_OF_WORK[work], { jobId }, `${work}:${jobId}`),
  };

  readonly operationQueue: OperationQueue = {
    add: (operationId) => this.#add('operations', { operationId }, `operate:${operationId}`),
  };

  readonly discoveryQueue: DiscoveryQueue = {
    add: (discoveryId) => this.#add('nodes.discover', { discoveryId }, `discover:${discoveryId}`),
  };

  constructor(backend: BullBackend, log: Log) {
    this.#backend = backend;
    this.#log = log;
    this.#queues = new Map(QUEUE_NAMES.map((name) => [name, new KeptOpen(() => this.#openQueue(name))]));
  }

  /** Begins to work on a queue. Work that fails is logged and forgotten; the database knows when to try again. */
  worker<Name extends QueueName>(
    name: Name,
    handler: (payload: QueuePayload<Name>) => Promise<void>,
    options: WorkerOptions = {},
  ): QueueWorker {
    const process = async (job: Job): Promise<void> => {
      const startedAt = performance.now();
      const finished = (result: 'done' | 'failed') =>
        options.onFinished?.(result, (performance.now() - startedAt) / 1000);
      try {
        await handler(parsePayload(name, job.data));
        finished('done');
      } catch (error) {
        finished('failed');
        throw error;
      }
    };
    const end = new KeptOpen(() => this.#openWorker(name, process, options));
    const worker: QueueWorker = {
      close: async (graceMs = CLOSE_GRACE_MS) => {
        this.#workers.delete(worker);
        await closeWithin(graceMs, end.stop());
      },
    };
    this.#workers.add(worker);
    return worker;
  }

  /** @throws Error where the queues cannot be asked within two seconds */
  async counts(): Promise<QueueCount[]> {
    return withTimeLimit(PRODUCER_TIMEOUT_MS, 'The queues could not be counted in time.', (signal) =>
      Promise.all(QUEUE_NAMES.map((name) => this.#count(name, signal))),
    );
  }

  /** Whether the queues can be reached now. */
  async ping(): Promise<Answer<true>> {
    try {
      await this.counts();
      return present(true);
    } catch (error) {
      return unknown(error instanceof Error ? error.message : String(error));
    }
  }

  /** Closes the workers, and waits for what they do, then the rest. */
  async close(graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#backend.stopReconnecting();
    await Promise.all([...this.#workers].map((worker) => worker.close(graceMs)));
    await Promise.all(
      [...this.#queues.values()].map((queue) => closeWithin(PRODUCER_TIMEOUT_MS, queue.stop())),
    );
  }

  async #add(name: QueueName, payload: QueuePayload<QueueName>, deduplicationId: string): Promise<void> {
    await withTimeLimit(
      PRODUCER_TIMEOUT_MS,
      `The queue "${name}" gave no answer in time.`,
      async (signal) => {
        const queue = await this.#ready(name, signal);
        await queue.add(name, payload, { deduplication: { id: deduplicationId, keepLastIfActive: true } });
      },
    );
  }

  async #count(name: QueueName, signal: AbortSignal): Promise<QueueCount> {
    const queue = await this.#ready(name, signal);
    const depth = await queue.getWaitingCount();
    if (depth === 0) return { queue: name, depth, oldestSeconds: 0 };
    // Newest first is the order that both backends agree on, so the oldest is the last.
    const [oldest] = await queue.getJobs(['waiting'], depth - 1, depth - 1, false);
    const waitedMs = oldest === undefined ? 0 : Date.now() - oldest.timestamp;
    return { queue: name, depth, oldestSeconds: Math.max(0, waitedMs / 1000) };
  }

  #ready(name: QueueName, signal: AbortSignal): Promise<BullQueue> {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`there is no queue "${name}"`);
    return queue.ready(signal);
  }

  #openQueue(name: QueueName): BullQueue {
    const queue = this.#backend.openQueue(name);
    queue.on('error', this.#connectionTrouble(`The connection to the queue "${name}" has trouble.`));
    return queue;
  }

  #openWorker(name: QueueName, process: (job: Job) => Promise<void>, options: ConsumerOptions): BullWorker {
    const worker = this.#backend.openWorker(name, process, options);
    worker.on('error', this.#connectionTrouble(`The worker of the queue "${name}" has trouble.`));
    worker.on('failed', (_, error) => this.#log('error', `Work of the queue "${name}" failed.`, error));
    return worker;
  }

  #connectionTrouble(message: string): (error: Error) => void {
    const log = unrepeated(this.#log);
    return (error) => log('warn', message, error);
  }
}

/** Closes gently, and by force where that fails or takes too long: what is away cannot be closed gently. */
async function closeWithin(
  graceMs: number,
  end: { close(): Promise<void>; disconnect(): Promise<void> },
): Promise<void> {
  const closed = end.close().then(
    () => true,
    () => false,
  );
  const inTime = await Promise.race([closed, sleep(graceMs, false, { ref: false })]);
  if (!inTime) end.disconnect().catch(() => {});
}
