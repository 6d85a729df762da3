import { z } from 'zod';
import type { JobWork } from '#core/jobs/job-store';

/** All that has to be decided about a queue. Nothing has a default: a queue that leaves something out does not compile. */
export interface QueuePolicy<Payload extends z.ZodType = z.ZodType> {
  /** What an entry carries; a worker refuses anything else. */
  payload: Payload;
  /** Entries that one worker process works on at the same time. */
  concurrency: number;
  /** How often the queue itself runs an entry whose work fails. */
  attempts: number;
  /** Pause before the queue's own second attempt. */
  backoff: { type: 'fixed' | 'exponential'; delayMs: number } | null;
  /** How often an entry is given to another worker after its worker vanished; then it counts as failed. */
  maxStalledCount: number;
  /** Whether entries whose work is done are removed at once. */
  removeOnComplete: boolean;
  /** How many entries whose work failed are kept to be looked at. */
  removeOnFail: { count: number };
}

const jobPayload = z.strictObject({ jobId: z.string().min(1) });

/**
 * What is common to all work on jobs. One attempt: when a job is looked at again is for its `lookAt` in the database
 * to say, and a second clock in the queue would only contradict it. For the same reason nothing is kept of what is
 * done, and of failures only enough to see what they look like.
 */
const WORK_ON_JOBS = {
  payload: jobPayload,
  attempts: 1,
  backoff: null,
  maxStalledCount: 1,
  removeOnComplete: true,
  removeOnFail: { count: 1000 },
} as const;

/**
 * How long an entry stays with a worker that gives no sign, where nothing else is said; a worker that lives renews it in
 * half that time.
 */
export const TAKEOVER_AFTER_MS = 15_000;

/** How often it is looked for such entries: one is found at the second look, within two thirds of the time more. */
export const lookForAbandonedEveryMs = (takeoverAfterMs: number): number => Math.ceil(takeoverAfterMs / 3);

const operationPayload = z.strictObject({ operationId: z.string().min(1) });

/** Work on boards and services waits for other machines most of the time. */
const OPERATIONS = { ...WORK_ON_JOBS, payload: operationPayload, concurrency: 8 } as const;

/** One at a time: a discovery asks a thousand addresses by itself. */
const DISCOVERY = {
  ...WORK_ON_JOBS,
  payload: z.strictObject({ discoveryId: z.string().min(1) }),
  concurrency: 1,
} as const;

export const QUEUES = {
  'jobs.submit': { ...WORK_ON_JOBS, concurrency: 8 },
  'jobs.cancel': { ...WORK_ON_JOBS, concurrency: 4 },
  'jobs.collect': { ...WORK_ON_JOBS, concurrency: 4 },
  operations: OPERATIONS,
  'nodes.discover': DISCOVERY,
} as const satisfies Record<string, QueuePolicy>;

export type QueueName = keyof typeof QUEUES;
export type QueuePayload<Name extends QueueName> = z.output<(typeof QUEUES)[Name]['payload']>;

/** @throws ZodError where an entry carries something else */
export function parsePayload<Name extends QueueName>(name: Name, data: unknown): QueuePayload<Name> {
  return QUEUES[name].payload.parse(data) as QueuePayload<Name>;
}

export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[];

export const QUEUE_OF_WORK = {
  submit: 'jobs.submit',
  cancel: 'jobs.cancel',
  collect: 'jobs.collect',
} as const satisfies Record<JobWork, QueueName>;
