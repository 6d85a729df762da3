import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobState } from '#core/jobs/job-state';
import { JOB_STATES } from '#core/jobs/job-state';
import type { HealthState } from '#core/nodes/inventory/board-health';
import type { QueueCount } from '../queue/open-queues.ts';
import { SlurmMetrics } from './slurm-metrics.ts';

/** A registry with the metrics of the process itself. */
export function createRegistry(process: 'api' | 'worker'): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** What the api measures; states and queues are read when Prometheus asks. */
export class ApiMetrics {
  readonly registry = createRegistry('api');
  readonly #requests = new Histogram({
    name: 'bramble_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry],
  });

  constructor(sources: {
    countJobs: () => Promise<Map<JobState, number>>;
    countQueues: () => Promise<QueueCount[]>;
  }) {
    new Gauge({
      name: 'bramble_jobs',
      help: 'Jobs by state.',
      labelNames: ['state'],
      registers: [this.registry],
      async collect() {
        const counts = await sources.countJobs();
        for (const state of JOB_STATES) this.set({ state }, counts.get(state) ?? 0);
      },
    });
    const oldest = new Gauge({
      name: 'bramble_queue_oldest_seconds',
      help: 'How long the oldest entry of a queue has waited.',
      labelNames: ['queue'],
      registers: [this.registry],
    });
    new Gauge({
      name: 'bramble_queue_depth',
      help: 'Entries of a queue that no worker has taken.',
      labelNames: ['queue'],
      registers: [this.registry],
      async collect() {
        for (const { queue, depth, oldestSeconds } of await sources.countQueues().catch(() => [])) {
          this.set({ queue }, depth);
          oldest.set({ queue }, oldestSeconds);
        }
      },
    });
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }
}

/** What a worker measures. */
export class WorkerMetrics {
  readonly registry = createRegistry('worker');
  /** Set by the leader alone. */
  readonly slurm = new SlurmMetrics(this.registry);
  readonly #submissions = new Histogram({
    name: 'bramble_submit_duration_seconds',
    help: 'Time of one call of sbatch, by outcome.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly #rpcs = new Histogram({
    name: 'bramble_slurm_rpc_duration_seconds',
    help: "Commands of Slurm's that were run, by command and whether Slurm answered.",
    labelNames: ['command', 'answered'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly #work = new Counter({
    name: 'bramble_work_total',
    help: 'Entries of queues that were worked off, by queue and result.',
    labelNames: ['queue', 'result'],
    registers: [this.registry],
  });
  readonly #followed = new Gauge({
    name: 'bramble_tracker_followed_jobs',
    help: 'Jobs that the tracker follows; only the leader has any.',
    registers: [this.registry],
  });
  readonly #lag = new Gauge({
    name: 'bramble_tracker_lag_seconds',
    help: 'Time since Slurm last answered about jobs that are followed; 0 where none are.',
    registers: [this.registry],
  });
  readonly #leader = new Gauge({
    name: 'bramble_leader',
    help: '1 where this worker is the leader.',
    registers: [this.registry],
  });

  readonly #boards = new Gauge({
    name: 'bramble_boards',
    help: 'Enrolled boards by state of their health; only the leader has any.',
    labelNames: ['health'],
    registers: [this.registry],
  });

  readonly observeSubmission = (outcome: string, seconds: number): void =>
    this.#submissions.observe({ outcome }, seconds);

  readonly observeRpc = (command: string, seconds: number, answered: boolean): void =>
    this.#rpcs.observe({ command, answered: String(answered) }, seconds);

  countWork(queue: string, result: 'done' | 'failed'): void {
    this.#work.inc({ queue, result });
  }

  setTracking(followed: number, lagSeconds: number): void {
    this.#followed.set(followed);
    this.#lag.set(lagSeconds);
  }

  setBoards(counts: ReadonlyMap<HealthState, number>): void {
    for (const [health, count] of counts) this.#boards.set({ health }, count);
  }

  setLeader(leader: boolean): void {
    if (!leader) this.slurm.reset();
    this.#leader.set(leader ? 1 : 0);
    if (!leader) this.#boards.reset();
  }
}
