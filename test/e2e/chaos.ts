import { setTimeout as sleep } from 'node:timers/promises';
import { Bramble, type Job } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedDatabase, stopEmbeddedDatabase } from '#infra/database/embedded-database';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { type Installation, startInstallation } from './installation.ts';
import { Tally } from './tally.ts';

const CLIENTS = 8;

/** Where the queues live while everything is killed. */
export interface ChaosQueues {
  name: string;
  /** Settings of api and worker. */
  environment: Record<string, string>;
  /** Loses every entry of every queue. */
  lose: (bramble: Installation) => Promise<void>;
}

/** The same numbers for the same seed, so that a run can be had again (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function restartDatabase(bramble: Installation): Promise<void> {
  const dataDirectory = `${bramble.home}/postgres`;
  await stopEmbeddedDatabase(dataDirectory);
  await sleep(300);
  await startEmbeddedDatabase({ dataDirectory, log: () => {} });
}

const faultsOf = (
  lab: SlurmLab,
  bramble: Installation,
  queues: ChaosQueues,
): Record<string, () => Promise<void>> => ({
  'worker killed': async () => {
    await bramble.worker.kill();
    await bramble.worker.start();
  },
  'api killed': async () => {
    await bramble.api.kill();
    await bramble.api.start();
  },
  'slurmctld killed': async () => {
    await lab.killController();
    await sleep(500);
    await lab.startController();
  },
  'database restarted': () => restartDatabase(bramble),
  'queues lost': () => queues.lose(bramble),
});

/** Submits jobs from several clients while all parts are killed in turn; the jobs themselves count how often they ran. */
export function describeChaos(jobCount: number, queues: () => Promise<ChaosQueues>): void {
  let lab: SlurmLab;
  let bramble: Installation;
  let tally: Tally;
  let faults: Record<string, () => Promise<void>>;

  beforeAll(async () => {
    const chosen = await queues();
    // A lab of its own: its slurmctld is killed.
    // Nodes do not fail here; on a busy machine one may be silent for a while.
    const dir = `${TEST_LAB_DIRECTORY}-chaos-${chosen.name}`;
    await labDown(dir);
    lab = await labUp({ dir, settings: { nodeTimeoutSeconds: 120 } });
    bramble = await startInstallation(
      lab,
      { BRAMBLE_SUBMIT_TIMEOUT_MS: '2000', ...chosen.environment },
      { database: 'embedded' },
    );
    tally = new Tally(bramble.storage);
    faults = faultsOf(lab, bramble, chosen);
  });
  afterAll(async () => {
    await bramble.stop();
    await labDown(lab.dir);
  });

  describe(`${jobCount} jobs while everything is killed now and then`, () => {
    it('run once each, and end as they should: none lost, none twice', async () => {
      const random = randomNumbers(20_261_122);
      const client = new Bramble({
        baseUrl: bramble.apiUrl,
        apiKey: bramble.adminKey,
        maxRetries: 60,
        retryDelayMs: 100,
      });
      const jobs: Job[] = [];
      let next = 0;
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (next < jobCount) {
          const number = next;
          next += 1;
          const fails = number % 5 === 0;
          jobs.push(
            await client.jobs.submit(
              {
                name: `chaos-${number}`,
                script: `${tally.script(`chaos ${number}`)}exit ${fails ? 3 : 0}\n`,
                labels: { fails: String(fails) },
              },
              { idempotencyKey: `chaos-${number}` },
            ),
          );
          await sleep(random() * 300);
        }
      });

      const submitted = Promise.all(clients);
      const sent = new AbortController();
      void submitted.finally(() => sent.abort()).catch(() => {});
      const names = Object.keys(faults);
      for (let round = 0; !sent.signal.aborted || round < 2 * names.length; round += 1) {
        await sleep(200 + random() * 1_000);
        // Each fault comes in turn, the worker's twice as often.
        const name =
          round % 2 === 0 ? 'worker killed' : (names[(round >> 1) % names.length] ?? 'worker killed');
        await faults[name]?.();
      }
      await submitted;

      // A controller that is killed over and over may take nodes out of service, and an admin would put them back.
      const outOfService = (await lab.run(['sinfo', '--noheader', '--list-reasons'])).stdout;
      if (outOfService !== '') console.log(`Put back into service:\n${outOfService}`);
      await lab.restartAll();
      const ended = await Promise.all(
        jobs.map(async (job) => {
          await job.wait({ timeoutMs: 300_000 }).catch(() => {});
          return job;
        }),
      );
      const counts = tally.counts();
      // A node that has far too much to do gives one back now and then; it says that nothing of it has run.
      const notStarted = ended.filter((job) => job.reason?.code === 'NotStarted' && !counts.has(job.id));
      expect(notStarted.length).toBeLessThan(jobCount / 20);
      const wrong = ended.filter(
        (job) =>
          !notStarted.includes(job) &&
          (counts.get(job.id) !== 1 ||
            (job.labels.fails === 'true'
              ? job.state !== 'failed' || job.exitCode !== 3
              : job.state !== 'completed')),
      );
      expect(
        wrong.map((job) => ({
          id: job.id,
          ran: counts.get(job.id) ?? 0,
          state: job.state,
          reason: job.reason,
        })),
      ).toEqual([]);
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobCount);
      expect(counts.size).toBe(jobCount - notStarted.length);
    });
  });
}
