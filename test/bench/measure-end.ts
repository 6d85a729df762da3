import { chmodSync, chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@bramble/sdk';
import type { Installation } from '../e2e/installation.ts';
import { account } from '../lab/accounts.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import { load } from './client-load.ts';
import { between, jobTimes } from './job-times.ts';
import { PLAN } from './plan.ts';
import { figure, type ResultTable, times } from './result-table.ts';
import { median, percentile } from './statistics.ts';
import { submitBySbatch } from './submit-by-sbatch.ts';

const POLL_MS = 1_000;

/** From the moment when a job's script has done its last work to the moment when a client knows that it has ended. */
export async function measureEnd(lab: SlurmLab, bramble: Installation): Promise<ResultTable[]> {
  const polled = await endsSeenByPolling(lab);
  const seen = await endsSeenByBramble(bramble);
  const p50OfPeer = median(polled);
  const row = (who: string, values: readonly number[]) => [
    who,
    String(values.length),
    figure(median(values)),
    figure(percentile(values, 0.95)),
    times(median(values) / p50OfPeer),
  ];
  return [
    {
      id: 'end',
      title: "From a job's end to the client knowing",
      textColumns: 1,
      columns: ['client', 'jobs', 'p50 ms', 'p95 ms', 'p50, to squeue'],
      rows: [
        row('squeue once a second', polled),
        row('Bramble, `job.wait()`', seen.byWait),
        row('Bramble, `job.events()`', seen.byEvents),
      ],
    },
    {
      id: 'end-steps',
      title: 'Where that time goes, with `job.events()`',
      textColumns: 1,
      columns: ['step', 'p50 ms', 'p95 ms'],
      rows: Object.entries(seen.steps).map(([step, values]) => [
        step,
        figure(median(values)),
        figure(percentile(values, 0.95)),
      ]),
    },
  ];
}

/** A part of a second at random, so that ends and the rounds of whoever watches do not march in step. */
const endsAt = (file: string): string =>
  `#!/bin/bash\nsleep 0.${String(Math.floor(Math.random() * 1000)).padStart(3, '0')}\ndate +%s%N > ${file}\n`;

const milliseconds = (nanoseconds: string): number => Number(nanoseconds.trim()) / 1e6;
const nowMs = (): number => performance.timeOrigin + performance.now();

async function endsSeenByBramble(bramble: Installation): Promise<{
  byWait: number[];
  byEvents: number[];
  steps: Record<'Slurm and the tracker' | 'the worker collects' | 'the client is told', number[]>;
}> {
  const byWait: number[] = [];
  const byEvents: number[] = [];
  const steps: Awaited<ReturnType<typeof endsSeenByBramble>>['steps'] = {
    'Slurm and the tracker': [],
    'the worker collects': [],
    'the client is told': [],
  };
  await load(PLAN.end.lanes, PLAN.end.lanes * PLAN.end.jobsOfLane, async () => {
    const job = await bramble.admin.jobs.submit({ script: endsAt('ended'), tasks: 1 });
    const other = await bramble.admin.jobs.get(job.id);
    const [waited, told] = await Promise.all([job.wait().then(nowMs), toldOfEnd(other).then(nowMs)]);
    const endedAt = milliseconds(await job.file('ended').text());
    const known = await jobTimes(bramble, job.id);
    byWait.push(waited - endedAt);
    byEvents.push(told - endedAt);
    steps['Slurm and the tracker'].push((known.get('collecting') ?? NaN) - endedAt);
    steps['the worker collects'].push(between(known, 'collecting', 'completed'));
    steps['the client is told'].push(told - (known.get('completed') ?? NaN));
  });
  return { byWait, byEvents, steps };
}

async function toldOfEnd(job: Job): Promise<void> {
  for await (const { state } of job.events()) if (state === 'completed') return;
  throw new Error(`the events of ${job.id} ended before the job`);
}

/** What a user without Bramble would write: sbatch, and squeue for one's jobs once a second. */
async function endsSeenByPolling(lab: SlurmLab): Promise<number[]> {
  const directory = mkdtempSync(join(lab.storageDir, 'bench-'));
  const { uid, gid } = account(lab.accounts.first);
  chownSync(directory, uid, gid);
  chmodSync(directory, 0o700);
  const knows = new Map<number, (at: number) => void>();
  const polling = new AbortController();
  const poll = pollSqueue(lab, knows, polling.signal);
  const latencies: number[] = [];
  try {
    await load(PLAN.end.lanes, PLAN.end.lanes * PLAN.end.jobsOfLane, async (index) => {
      const file = join(directory, `ended-${index}`);
      const id = await submitBySbatch({
        sbatch: join(lab.binDir, 'sbatch'),
        slurmConf: lab.slurmConf,
        user: lab.accounts.first,
        script: endsAt(file),
        partition: 'compute',
        directory,
      });
      const known = Promise.withResolvers<number>();
      knows.set(id, known.resolve);
      const knownAt = await Promise.race([known.promise, poll]);
      latencies.push(knownAt - milliseconds(readFileSync(file, 'utf8')));
    });
  } finally {
    polling.abort();
    await poll.catch(() => {});
  }
  return latencies;
}

/** @returns only by throwing, or when it is aborted */
async function pollSqueue(
  lab: SlurmLab,
  knows: Map<number, (at: number) => void>,
  signal: AbortSignal,
): Promise<number> {
  while (!signal.aborted) {
    const { stdout, exitCode, stderr } = await lab.run(['squeue', '-h', '-t', 'all', '-o', '%A %T'], {
      user: lab.accounts.first,
    });
    if (exitCode !== 0) throw new Error(`squeue failed: ${stderr}`);
    const at = nowMs();
    for (const [, id, state] of stdout.matchAll(/^(\d+) (\w+)$/gm)) {
      if (state !== 'COMPLETED') continue;
      knows.get(Number(id))?.(at);
      knows.delete(Number(id));
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return NaN;
}
