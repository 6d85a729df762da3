import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bullBackend, type QueueLocation } from '../../libs/infra/src/queue/bull-backend.ts';
import { openQueues, type Queues } from '../../libs/infra/src/queue/open-queues.ts';
import { lookForAbandonedEveryMs, TAKEOVER_AFTER_MS } from '../../libs/infra/src/queue/queue-registry.ts';
import { freshDatabase, type FreshDatabase } from '../lab/database/database-server.ts';
import { emptyWhileInUse, execute } from '../lab/database/execute.ts';
import { RedisServer } from '../lab/database/redis-server.ts';
import { PATIENTLY } from '../patience.ts';

const PROGRAM = join(import.meta.dirname, 'hold-queue-entry.ts');
const RECOVERY_MS = TAKEOVER_AFTER_MS + 2 * lookForAbandonedEveryMs(TAKEOVER_AFTER_MS);

interface Backend {
  location(): QueueLocation;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Forgets all that is queued, as an operator might do. */
  wipe(): Promise<void>;
  /** Breaks every connection. */
  disconnectAll(): Promise<void>;
}

function inRedis(): Backend {
  let server: RedisServer;
  const command = async (use: (redis: Redis) => Promise<unknown>) => {
    const redis = new Redis(server.url);
    await use(redis);
    redis.disconnect();
  };
  return {
    location: () => ({ redisUrl: server.url }),
    start: async () => {
      server = await RedisServer.start();
    },
    stop: () => server.stop(),
    wipe: () => command((redis) => redis.flushall()),
    disconnectAll: () => command((redis) => redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
  };
}

function inPostgres(): Backend {
  let database: FreshDatabase;
  return {
    location: () => ({ databaseUrl: database.url }),
    start: async () => {
      database = await freshDatabase();
    },
    stop: () => database.drop(),
    wipe: () => emptyWhileInUse(database.url, 'bullmq'),
    disconnectAll: () =>
      execute(
        database.url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      ),
  };
}

describe.each([
  ['Redis', inRedis],
  ['PostgreSQL', inPostgres],
])('queues in %s', (_, makeBackend) => {
  const backend = makeBackend();
  const logged: [string, string, unknown][] = [];
  let queues: Queues;

  beforeAll(() => backend.start());
  afterAll(() => backend.stop());

  beforeEach(async () => {
    logged.length = 0;
    queues = await openQueues(backend.location(), (level, message, error) =>
      logged.push([level, message, error]),
    );
    await queues.jobQueue.add('submit', 'job_first');
    await backend.wipe();
  });

  afterEach(async () => {
    await queues.close();
  });

  /** A worker whose work takes until it is let go; it notes the jobs it was given. */
  function heldWorker() {
    const given: string[] = [];
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const worker = queues.worker('jobs.submit', async ({ jobId }) => {
      given.push(jobId);
      await held;
    });
    return { given, letGo: () => letGo(), worker };
  }

  /** A worker that is done at once; it notes the jobs it was given. */
  function quickWorker(): string[] {
    const given: string[] = [];
    queues.worker('jobs.submit', async ({ jobId }) => {
      given.push(jobId);
    });
    return given;
  }

  it('bring each job to a worker of the right queue', async () => {
    const given: string[] = [];
    for (const name of ['jobs.submit', 'jobs.cancel', 'jobs.collect'] as const) {
      queues.worker(name, async ({ jobId }) => {
        given.push(`${name} ${jobId}`);
      });
    }
    await queues.jobQueue.add('submit', 'job_1');
    await queues.jobQueue.add('cancel', 'job_1');
    await queues.jobQueue.add('collect', 'job_2');
    await vi.waitFor(() => expect(given).toHaveLength(3), PATIENTLY);
    expect(given.toSorted()).toEqual(['jobs.cancel job_1', 'jobs.collect job_2', 'jobs.submit job_1']);
  });

  it('queue a job that waits once, however often it is added', async () => {
    await Promise.all(Array.from({ length: 20 }, () => queues.jobQueue.add('submit', 'job_1')));
    await queues.jobQueue.add('submit', 'job_2');
    const given = quickWorker();
    await vi.waitFor(() => expect(given).toContain('job_2'), PATIENTLY);
    await sleep(300);
    expect(given.toSorted()).toEqual(['job_1', 'job_2']);
  });

  it('queue a job that is worked on once more, for afterwards, however often it is added', async () => {
    const { given, letGo } = heldWorker();
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toEqual(['job_1']), PATIENTLY);
    await Promise.all(Array.from({ length: 5 }, () => queues.jobQueue.add('submit', 'job_1')));
    await sleep(300);
    expect(given).toEqual(['job_1']);
    letGo();
    await vi.waitFor(() => expect(given).toEqual(['job_1', 'job_1']), PATIENTLY);
    await sleep(300);
    expect(given).toEqual(['job_1', 'job_1']);
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toHaveLength(3), PATIENTLY);
  });

  it('lose no addition that comes just when the work ends', async () => {
    const added = new Map<string, number>();
    const seen = new Map<string, number>();
    queues.worker('jobs.submit', async ({ jobId }) => {
      seen.set(jobId, added.get(jobId) ?? 0);
      await sleep(Math.random() * 2);
    });
    await Promise.all(
      Array.from({ length: 8 }, async (_unused, index) => {
        const jobId = `job_${index}`;
        for (let count = 1; count <= 100; count += 1) {
          added.set(jobId, count);
          await queues.jobQueue.add('submit', jobId);
        }
      }),
    );
    // What was known at the last addition of each job was seen by some work that began after it.
    await vi.waitFor(() => expect([...seen.values()]).toEqual(Array(8).fill(100)), PATIENTLY);
  });

  it('log work that failed, and take the job again when it is added again', async () => {
    let runs = 0;
    const finished: string[] = [];
    queues.worker(
      'jobs.submit',
      async () => {
        runs += 1;
        if (runs === 1) throw new Error('a fault in the work');
      },
      { onFinished: (result) => finished.push(result) },
    );
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(logged).toHaveLength(1), PATIENTLY);
    expect(logged[0]).toMatchObject([
      'error',
      'Work of the queue "jobs.submit" failed.',
      { message: 'a fault in the work' },
    ]);
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(finished).toEqual(['failed', 'done']), PATIENTLY);
  });

  it('refuse what is no payload of the queue', async () => {
    const given = quickWorker();
    const stranger = (await bullBackend(backend.location())).openQueue('jobs.submit');
    await stranger.waitUntilReady();
    await stranger.add('jobs.submit', { job: 1 }, {});
    await stranger.close();
    await vi.waitFor(
      () => expect(logged).toMatchObject([['error', expect.any(String), { name: 'ZodError' }]]),
      PATIENTLY,
    );
    expect(given).toEqual([]);
  });

  it('count what waits, and how long the oldest has', async () => {
    await queues.jobQueue.add('submit', 'job_1');
    await sleep(1_100);
    await queues.jobQueue.add('submit', 'job_2');
    await queues.jobQueue.add('cancel', 'job_2');
    const [submit, cancel, collect] = await queues.counts();
    expect(submit).toMatchObject({ queue: 'jobs.submit', depth: 2 });
    expect(submit?.oldestSeconds).toBeGreaterThan(1);
    expect(submit?.oldestSeconds).toBeLessThan(60);
    expect(cancel).toMatchObject({ queue: 'jobs.cancel', depth: 1 });
    expect(collect).toEqual({ queue: 'jobs.collect', depth: 0, oldestSeconds: 0 });
    expect(await queues.ping()).toEqual({ kind: 'present', value: true });
  });

  it('close when the work under way is done, and take nothing more', async () => {
    const { given, letGo, worker } = heldWorker();
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toEqual(['job_1']), PATIENTLY);
    let isClosed = false;
    const closed = worker.close().then(() => {
      isClosed = true;
    });
    await sleep(200);
    expect(isClosed).toBe(false);
    await queues.jobQueue.add('submit', 'job_2');
    letGo();
    await closed;
    expect(given).toEqual(['job_1']);
    const next = quickWorker();
    await vi.waitFor(() => expect(next).toEqual(['job_2']), PATIENTLY);
  });

  it('close in time where the work does not end', async () => {
    const { given, letGo, worker } = heldWorker();
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toEqual(['job_1']), PATIENTLY);
    await worker.close(300);
    letGo();
  });

  it('work on after everything queued was wiped, also what was being worked on', async () => {
    const { given, letGo } = heldWorker();
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toEqual(['job_1']), PATIENTLY);
    await queues.jobQueue.add('submit', 'job_1');
    await backend.wipe();
    letGo();
    await queues.jobQueue.add('submit', 'job_1');
    await queues.jobQueue.add('submit', 'job_2');
    await vi.waitFor(() => expect(given.slice(1).toSorted()).toEqual(['job_1', 'job_2']), PATIENTLY);
  });

  it('work on after every connection was broken', async () => {
    const given = quickWorker();
    await queues.jobQueue.add('submit', 'job_1');
    await vi.waitFor(() => expect(given).toEqual(['job_1']), PATIENTLY);
    await backend.disconnectAll();
    await vi.waitFor(() => queues.jobQueue.add('submit', 'job_2'), PATIENTLY);
    await vi.waitFor(() => expect(given).toContain('job_2'), PATIENTLY);
  });

  it(
    'give the job of a killed worker to another, with what was added meanwhile, and are free again',
    { timeout: RECOVERY_MS + 30_000 },
    async () => {
      const child = spawn(process.execPath, [PROGRAM, JSON.stringify(backend.location())], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const held = once(createInterface(child.stdout), 'line');
      await queues.jobQueue.add('submit', 'job_1');
      expect(await held).toEqual(['job_1']);
      const given = quickWorker();
      await queues.jobQueue.add('submit', 'job_1');
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await queues.jobQueue.add('submit', 'job_1');
      await queues.jobQueue.add('submit', 'job_2');
      await vi.waitFor(() => expect(given).toEqual(['job_2']), PATIENTLY);
      await vi.waitFor(() => expect(given).toEqual(['job_2', 'job_1', 'job_1']), {
        timeout: RECOVERY_MS + 5_000,
      });
      await queues.jobQueue.add('submit', 'job_1');
      await vi.waitFor(() => expect(given).toHaveLength(4), PATIENTLY);
    },
  );
});

describe('a Redis that is away', () => {
  let redis: RedisServer;
  let queues: Queues;

  beforeEach(async () => {
    redis = await RedisServer.start();
  });

  afterEach(async () => {
    await redis.stop();
    await queues.close(1_000);
  });

  async function refused(): Promise<void> {
    const began = performance.now();
    await expect(queues.jobQueue.add('submit', 'job_1')).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(await queues.ping()).toMatchObject({ kind: 'unknown' });
  }

  async function worksAgain(given: string[]): Promise<void> {
    await vi.waitFor(() => queues.jobQueue.add('submit', 'job_2'), { ...PATIENTLY, interval: 200 });
    await vi.waitFor(() => expect(given).toContain('job_2'), PATIENTLY);
    expect(await queues.ping()).toEqual({ kind: 'present', value: true });
  }

  function noting(): string[] {
    const given: string[] = [];
    queues.worker('jobs.submit', async ({ jobId }) => {
      given.push(jobId);
    });
    return given;
  }

  it('holds up nobody at the start, and is used when it comes', async () => {
    await redis.stop();
    queues = await openQueues({ redisUrl: redis.url }, () => {});
    const given = noting();
    await refused();
    await redis.start();
    await worksAgain(given);
    expect(given).not.toContain('job_1');
  });

  it('holds up nobody later, and is used when it is back', async () => {
    queues = await openQueues({ redisUrl: redis.url }, () => {});
    const given = noting();
    await queues.jobQueue.add('submit', 'job_0');
    await redis.stop();
    await refused();
    await redis.start();
    await worksAgain(given);
  });

  it('holds up nobody while it is frozen', async () => {
    queues = await openQueues({ redisUrl: redis.url }, () => {});
    const given = noting();
    await queues.jobQueue.add('submit', 'job_0');
    redis.freeze();
    await refused();
    redis.thaw();
    await worksAgain(given);
  });

  it('is told once, not at every attempt', async () => {
    await redis.stop();
    const logged: string[] = [];
    queues = await openQueues({ redisUrl: redis.url }, (_, message) => logged.push(message));
    noting();
    await sleep(3_000);
    expect(logged).toHaveLength(new Set(logged).size);
    expect(logged.length).toBeGreaterThan(0);
  });
});
