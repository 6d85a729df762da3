import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@bramble/sdk';
import { command as squeueCommand } from '#infra/slurm/squeue';
import type { Installation } from '../e2e/installation.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import { waitUntil } from '../lab/waiting.ts';
import { load } from './client-load.ts';
import { PLAN } from './plan.ts';
import { figure, type ResultTable } from './result-table.ts';
import { median, percentile } from './statistics.ts';
import { NEVER_STARTS, TRIVIAL_SCRIPT } from './submit-ways.ts';
import { CPU_SECONDS, type Samples, scrape, total } from './service-metrics.ts';

const RPC = 'bramble_slurm_rpc_duration_seconds';

/** What more jobs and more waiting clients cost: in questions to Slurm, in work, and in time of an answer. */
export async function measureGrowth(
  lab: SlurmLab,
  bramble: Installation,
  log: (line: string) => void,
): Promise<ResultTable[]> {
  const jobs: Job[] = [];
  const asked: string[][] = [];
  const answered: string[][] = [];
  for (const count of PLAN.growth.jobs) {
    await submitUpTo(bramble, jobs, count);
    const squeueMs = await squeueAlone(lab);
    answered.push([String(count), figure(squeueMs), ...(await readTimes(bramble, jobs))]);
    for (const clients of PLAN.growth.waitingClients) {
      asked.push([String(count), String(clients), ...(await watch(bramble, jobs, clients))]);
    }
    log(`${count} jobs done`);
  }
  return [
    {
      id: 'growth',
      title: 'Questions to Slurm, and work',
      textColumns: 0,
      columns: [
        'jobs',
        'waiting clients',
        'RPCs/s',
        'of them squeue/s',
        'one squeue, ms',
        'worker, % of a core',
        'api, % of a core',
      ],
      rows: asked,
    },
    {
      id: 'growth-reads',
      title: 'Answers',
      textColumns: 0,
      columns: ['jobs', 'squeue by hand, ms', 'one job, p50 ms', 'one job, p95 ms', 'list of 50, p50 ms'],
      rows: answered,
    },
  ];
}

/** Returns when Slurm has them, and the tracker has recorded what it says of them for the first time. */
async function submitUpTo({ admin, worker }: Installation, jobs: Job[], count: number): Promise<void> {
  await load(16, count - jobs.length, async () => {
    jobs.push(await admin.jobs.submit({ script: TRIVIAL_SCRIPT, partition: NEVER_STARTS }));
  });
  const isFollowed = async () => {
    const followed = total(await scrape(worker.url), 'bramble_tracker_followed_jobs');
    const submitting = await admin.jobs
      .list({ state: ['accepted', 'staging', 'submitting'], limit: 1 })
      .page();
    return followed === count && submitting.items.length === 0;
  };
  await waitUntil(`${count} jobs to be followed`, isFollowed, { timeoutMs: 120_000, intervalMs: 200 });
  const [newest] = (await admin.jobs.list({ state: 'queued', limit: 1 }).page()).items;
  if (newest === undefined) throw new Error('no job is queued');
  await waitUntil('a reason', async () => (await newest.refresh()).reason !== null, { timeoutMs: 30_000 });
  await sleep(1_000);
}

/** The very question that the tracker asks, by itself. */
async function squeueAlone(lab: SlurmLab): Promise<number> {
  const durations: number[] = [];
  for (let time = 0; time < 7; time += 1) {
    const { durationMs, exitCode } = await lab.run(squeueCommand('mark'));
    if (exitCode !== 0) throw new Error('squeue failed');
    durations.push(durationMs);
  }
  return median(durations);
}

async function readTimes({ admin }: Installation, jobs: readonly Job[]): Promise<string[]> {
  const reads = await load(1, PLAN.growth.reads, async (index) => {
    await admin.jobs.get(jobs[index % jobs.length]?.id ?? '');
  });
  const listings = await load(1, PLAN.growth.listings, async () => {
    await admin.jobs.list({ limit: 50 }).page();
  });
  return [
    figure(median(reads.latenciesMs)),
    figure(percentile(reads.latenciesMs, 0.95)),
    figure(median(listings.latenciesMs)),
  ];
}

async function watch(
  { admin, api, worker }: Installation,
  jobs: readonly Job[],
  clients: number,
): Promise<string[]> {
  const gone = new AbortController();
  const waiting = Array.from({ length: clients }, async (_, index) => {
    const job = await admin.jobs.get(jobs[index % jobs.length]?.id ?? '');
    await job.wait({ signal: gone.signal });
  }).map((wait) => wait.catch(() => {}));
  await sleep(500);
  const from = await both();
  await sleep(PLAN.growth.windowMs);
  const to = await both();
  gone.abort();
  await Promise.all(waiting);

  const seconds = (to.at - from.at) / 1000;
  const perSecond = (of: 'api' | 'worker', name: string, label?: string) =>
    (total(to[of], name, label) - total(from[of], name, label)) / seconds;
  const squeues = perSecond('worker', `${RPC}_count`, 'command="squeue"');
  return [
    perSecond('worker', `${RPC}_count`),
    squeues,
    (perSecond('worker', `${RPC}_sum`, 'command="squeue"') / squeues) * 1000,
    perSecond('worker', CPU_SECONDS) * 100,
    perSecond('api', CPU_SECONDS) * 100,
  ].map(figure);

  async function both(): Promise<{ at: number; api: Samples; worker: Samples }> {
    return { api: await scrape(api.url), worker: await scrape(worker.url), at: performance.now() };
  }
}
