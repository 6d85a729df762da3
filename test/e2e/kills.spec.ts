import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job } from '@bramble/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import { CHECKOUT } from '../../scripts/installation.ts';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';
import { Tally } from './tally.ts';

/** It is started dozens of times, and finds packages where those of the checkout are. */
const PROGRAMS = join(CHECKOUT, 'node_modules/.cache/crashing-worker');
const CRASHING_WORKER = join(PROGRAMS, 'crashing-worker.js');

let lab: SlurmLab;
let bramble: Installation;
let tally: Tally;

beforeAll(async () => {
  await bundle({ 'crashing-worker': 'test/e2e/crashing-worker.ts' }, PROGRAMS);
  lab = await labUp();
  // A short life of sbatch, so that the certainty about an attempt that was cut off comes soon.
  bramble = await startInstallation(lab, { BRAMBLE_SUBMIT_TIMEOUT_MS: '1000' });
  tally = new Tally(bramble.storage);
});
afterEach(() => bramble.worker.kill());
afterAll(() => bramble.stop());

interface Flow {
  name: string;
  /** Brings a job to where the flow begins, with no worker running any more. */
  prepare: () => Promise<Job>;
  /** What sets the flow off, once the crashing worker runs. */
  begin: (job: Job) => Promise<unknown>;
  /** Whether the crashing worker tracks jobs as well. */
  leads: boolean;
  /** Ports that the flow has to call, or the walk has gone past it. */
  calls: string[];
  /** Whether nothing is left to do for the crashing worker. */
  isThrough: (job: Job) => boolean;
  ends: string;
}

const FLOWS: Flow[] = [
  {
    name: 'a submission',
    prepare: () => bramble.admin.jobs.submit({ script: tally.script('submission'), nodes: 1 }),
    begin: async () => {},
    leads: false,
    calls: ['runs.stage', 'slurm.submit', 'jobs.change'],
    isThrough: (job) => job.state === 'queued',
    ends: 'completed',
  },
  {
    name: 'a cancellation and an end',
    prepare: async () => {
      if (!bramble.worker.isRunning) await bramble.worker.start();
      const job = await bramble.admin.jobs.submit({
        script: `${tally.script('cancellation')}exec sleep 600\n`,
        outputs: ['*.txt'],
      });
      await expect.poll(() => tally.count(job.id), { interval: 20 }).toBe(1);
      await bramble.worker.kill();
      return job;
    },
    begin: (job) => job.cancel(),
    leads: true,
    calls: ['slurm.cancel', 'runs.readClaim', 'runs.readExit', 'runs.collectOutputs', 'jobs.change'],
    isThrough: (job) => job.finished,
    ends: 'cancelled',
  },
];

/** Goes through the flow with a worker that dies at the given call. */
async function crash(flow: Flow, after: number): Promise<{ job: Job; calls: string[]; crashed: boolean }> {
  const job = await flow.prepare();
  const callsFile = join(bramble.home, 'calls');
  rmSync(callsFile, { force: true });
  const worker = await bramble.anotherWorker(CRASHING_WORKER, {
    CRASH_AFTER: String(after),
    CALLS_FILE: callsFile,
    BRAMBLE_LEADER: String(flow.leads),
  });
  worker.launch();
  await flow.begin(job);
  const deadline = Date.now() + 60_000;
  while (worker.isRunning && !flow.isThrough(await job.refresh())) {
    if (Date.now() > deadline) throw new Error(`the worker is stuck:\n${worker.log().slice(-2000)}`);
    await sleep(50);
  }
  // The last call of the flow may come after the change that it made.
  if (worker.isRunning) await sleep(300);
  const crashed = !worker.isRunning;
  await worker.kill();
  return {
    job,
    calls: existsSync(callsFile) ? readFileSync(callsFile, 'utf8').trim().split('\n') : [],
    crashed,
  };
}

describe('a worker that is killed at any call', () => {
  it.each(FLOWS)('of $name leaves a job that runs exactly once and ends as it should', async (flow) => {
    await bramble.worker.kill();
    const { calls } = await crash(flow, -1);
    for (const call of flow.calls) expect(calls.map((made) => made.split(' ')[1])).toContain(call);
    const jobs: Job[] = [];
    let crashes = 0;
    for (let after = 0; after <= calls.length; after += 1) {
      const { job, crashed } = await crash(flow, after);
      jobs.push(job);
      if (crashed) crashes += 1;
    }
    if (!bramble.worker.isRunning) await bramble.worker.start();
    for (const job of jobs) {
      await job.wait({ timeoutMs: 120_000 }).catch(() => {});
      expect([job.state, tally.count(job.id)]).toEqual([flow.ends, 1]);
    }
    // How often Slurm is asked varies, and two changes may become one: the last calls of a walk are then not reached.
    expect(crashes).toBeGreaterThanOrEqual(calls.length / 2);
  });
});
