import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Job } from '@bramble/sdk';
import type { Installation } from '../e2e/installation.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import { waitUntil } from '../lab/waiting.ts';
import { type Load, load } from './client-load.ts';
import { between, type JobTimes, jobTimes } from './job-times.ts';
import type { SbatchOptions } from './submit-by-sbatch.ts';
import { CPU_SECONDS, scrape, total } from './service-metrics.ts';
import { slurmrestdSubmitter } from './submit-by-slurmrestd.ts';

const run = promisify(execFile);
const SBATCH_PROGRAM = fileURLToPath(new URL('sbatch-program.ts', import.meta.url));

/** Slurm takes jobs for this partition and starts none: what is measured is not disturbed by jobs that run. */
export const NEVER_STARTS = 'down';
export const TRIVIAL_SCRIPT = '#!/bin/bash\ntrue\n';

/** A way of handing jobs to Slurm. */
export interface SubmitWay {
  /** Submits jobs and answers what clients have seen, by name of what was measured. */
  submit: (clients: number, jobs: number) => Promise<Map<string, Load>>;
  /** Waits until nothing is left to do for jobs that were cancelled in Slurm. */
  settle: () => Promise<void>;
}

export function sbatchWay(lab: SlurmLab): SubmitWay {
  const options: SbatchOptions = {
    sbatch: join(lab.binDir, 'sbatch'),
    slurmConf: lab.slurmConf,
    user: lab.accounts.first,
    script: TRIVIAL_SCRIPT,
    partition: NEVER_STARTS,
    directory: '/',
  };
  return {
    submit: async (clients, jobs) => {
      const orders = JSON.stringify({ clients, jobs, options });
      const { stdout } = await run(process.execPath, [SBATCH_PROGRAM, orders]);
      return new Map([['sbatch', JSON.parse(stdout) as Load]]);
    },
    settle: async () => {},
  };
}

export async function slurmrestdWay(lab: SlurmLab): Promise<SubmitWay> {
  const job = { script: TRIVIAL_SCRIPT, partition: NEVER_STARTS };
  const submit = await slurmrestdSubmitter(lab, await lab.startSlurmrestd(), job);
  return {
    submit: async (clients, jobs) => new Map([['slurmrestd', await load(clients, jobs, submit)]]),
    settle: async () => {},
  };
}

/** What jobs waited for between their acceptance and their ids in Slurm, and what they cost. */
export interface SubmitSteps {
  togetherMs: number[];
  pickedUpMs: number[];
  stagedMs: number[];
  sbatchMs: number[];
  /** What the two processes themselves have computed for each job, without sbatch and the database. */
  apiCpuMs: number;
  workerCpuMs: number;
}

/**
 * Two things are measured on the same jobs: until the client has its 202, and until Slurm's id is recorded. For the
 * latter the client only asks, ten times a second, whether any job is left; the times are read from the jobs' events
 * when all is done.
 */
export function brambleWay(
  { accepted, inSlurm }: { accepted: string; inSlurm: string },
  bramble: Installation,
  onSteps: (clients: number, steps: SubmitSteps) => void,
): SubmitWay {
  return {
    submit: async (clients, jobs) => {
      const startedAt = Date.now();
      const { result, times, steps } = await observed(bramble, async (ids) => {
        const acceptedLoad = await load(clients, jobs, async () => {
          ids.push((await submitTo(bramble)).id);
        });
        await noneLeft(bramble, ['accepted', 'staging', 'submitting']);
        return acceptedLoad;
      });
      onSteps(clients, steps);
      const lastAt = Math.max(...times.map((one) => one.get('queued') ?? NaN));
      return new Map([
        [accepted, result],
        [inSlurm, { elapsedMs: lastAt - startedAt, latenciesMs: steps.togetherMs }],
      ]);
    },
    settle: () => allTakenBack(bramble),
  };
}

/** Each job is submitted when Slurm has the one before: what a job needs that waits for no other. */
export async function submitOneByOne(bramble: Installation, jobs: number): Promise<SubmitSteps> {
  const { steps } = await observed(bramble, async (ids) => {
    for (let submitted = 0; submitted < jobs; submitted += 1) {
      const job = await submitTo(bramble);
      for await (const { state } of job.events()) if (state === 'queued') break;
      ids.push(job.id);
    }
  });
  return steps;
}

const submitTo = ({ admin }: Installation): Promise<Job> =>
  admin.jobs.submit({ script: TRIVIAL_SCRIPT, partition: NEVER_STARTS });

/** @param submit takes jobs to Slurm, and leaves their ids */
async function observed<T>(
  bramble: Installation,
  submit: (ids: string[]) => Promise<T>,
): Promise<{ result: T; times: JobTimes[]; steps: SubmitSteps }> {
  const ids: string[] = [];
  const before = await cpuSeconds(bramble);
  const result = await submit(ids);
  const after = await cpuSeconds(bramble);
  const times: JobTimes[] = [];
  await load(8, ids.length, async (index) => {
    times.push(await jobTimes(bramble, ids[index] ?? ''));
  });
  const steps = {
    togetherMs: times.map((one) => between(one, 'accepted', 'queued')),
    pickedUpMs: times.map((one) => between(one, 'accepted', 'staging')),
    stagedMs: times.map((one) => between(one, 'staging', 'submitting')),
    sbatchMs: times.map((one) => between(one, 'submitting', 'queued')),
    apiCpuMs: ((after.api - before.api) / ids.length) * 1000,
    workerCpuMs: ((after.worker - before.worker) / ids.length) * 1000,
  };
  return { result, times, steps };
}

async function cpuSeconds({ api, worker }: Installation): Promise<{ api: number; worker: number }> {
  const [ofApi, ofWorker] = await Promise.all([scrape(api.url), scrape(worker.url)]);
  return { api: total(ofApi, CPU_SECONDS), worker: total(ofWorker, CPU_SECONDS) };
}

/** Waits until Bramble has seen and recorded that its jobs were cancelled. */
export const allTakenBack = (bramble: Installation): Promise<void> =>
  noneLeft(bramble, ['queued', 'running', 'collecting']);

async function noneLeft(
  { admin }: Installation,
  state: ('accepted' | 'staging' | 'submitting' | 'queued' | 'running' | 'collecting')[],
): Promise<void> {
  const isDone = async () => (await admin.jobs.list({ state, limit: 1 }).page()).items.length === 0;
  await waitUntil('jobs to be worked off', isDone, { timeoutMs: 60_000, intervalMs: 100 });
}

/** Cancels what waits. The count before that is the proof that Slurm has taken every job. */
export async function takeBack(lab: SlurmLab, expected: number): Promise<void> {
  const listed = await lab.run(['squeue', '-h', '-t', 'PENDING', '-p', NEVER_STARTS, '-o', '%A']);
  const ids = listed.stdout.split('\n').filter((line) => line !== '');
  if (ids.length !== expected)
    throw new Error(`Slurm has ${ids.length} of ${expected} jobs: ${listed.stderr}`);
  const cancelled = await lab.run(['scancel', '--state=PENDING', `--partition=${NEVER_STARTS}`]);
  if (cancelled.exitCode !== 0) throw new Error(`scancel failed: ${cancelled.stderr}`);
  await sleep(100);
}
