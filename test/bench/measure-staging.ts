import { execFile } from 'node:child_process';
import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileFrom } from '@bramble/sdk';
import type { Installation } from '../e2e/installation.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import { between, jobTimes } from './job-times.ts';
import { PLAN } from './plan.ts';
import { figure, type ResultTable, times } from './result-table.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);

/** Milliseconds of each leg, one a round. */
class Legs {
  readonly #measured = new Map<string, number[]>();

  add(leg: string, ms: number): void {
    this.#measured.set(leg, [...(this.#measured.get(leg) ?? []), ms]);
  }

  async time<T>(leg: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    this.add(leg, performance.now() - startedAt);
    return result;
  }

  rows(amount: number, peer: string): string[][] {
    const peerMs = median(this.#measured.get(peer) ?? []);
    return [...this.#measured].map(([leg, measured]) => {
      const ms = median(measured);
      return [leg, figure(ms / 1000), figure(amount / (ms / 1000)), times(ms / peerMs)];
    });
  }
}

/** Files on their way in and out, against the tools that copy and check them without Bramble. */
export async function measureStaging(
  lab: SlurmLab,
  bramble: Installation,
  log: (line: string) => void,
): Promise<ResultTable[]> {
  const directory = mkdtempSync(join(lab.storageDir, 'bench-files-'));
  const large = await largeFile(directory, bramble);
  log('large file done');
  const many = await manyFiles(directory, bramble);
  log('many files done');
  return [large, many];
}

async function largeFile(directory: string, bramble: Installation): Promise<ResultTable> {
  const { largeBytes, largeRounds } = PLAN.staging;
  const legs = new Legs();
  const content = randomFillSync(Buffer.allocUnsafe(largeBytes));
  const source = join(directory, 'large.bin');
  const copy = join(directory, 'copy.bin');
  const results = join(directory, 'results');
  for (let round = 0; round < largeRounds; round += 1) {
    // The same content again would be found, and not be stored again.
    randomFillSync(content, 0, 4096);
    writeFileSync(source, content);
    await run('sync', [source]);

    const copyMs = await timed(() => run('cp', [source, copy]));
    const syncMs = await timed(() => run('sync', [copy]));
    const sumMs = await timed(() => run('sha256sum', [copy]));
    legs.add('cp + sha256sum', copyMs + sumMs);
    legs.add('cp + sync + sha256sum', copyMs + syncMs + sumMs);

    const file = await fileFrom(source);
    const artifact = await legs.time('Bramble, upload', () => bramble.admin.artifacts.upload(file));
    const job = await bramble.admin.jobs.submit({
      command: ['true'],
      inputs: [{ path: 'large.bin', artifact: artifact.id }],
      outputs: ['large.bin'],
    });
    await job.wait();
    const known = await jobTimes(bramble, job.id);
    legs.add('Bramble, stage', between(known, 'staging', 'submitting'));
    legs.add('Bramble, collect', between(known, 'collecting', 'completed'));
    await legs.time('Bramble, download', () => job.outputs.download(results));
    rmSync(copy);
    rmSync(results, { recursive: true });
  }
  return {
    id: 'staging-large',
    title: 'One file of 256 MiB',
    textColumns: 1,
    columns: ['leg', 's', 'MiB/s', 'time, to cp + sha256sum'],
    rows: legs.rows(largeBytes / 1024 ** 2, 'cp + sha256sum'),
  };
}

async function manyFiles(directory: string, bramble: Installation): Promise<ResultTable> {
  const { files, fileBytes, filesRounds } = PLAN.staging;
  const legs = new Legs();
  const source = join(directory, 'many');
  const copy = join(directory, 'many-copied');
  const results = join(directory, 'many-results');
  const paths = Array.from({ length: files }, (_, index) => `${index}.bin`);
  mkdirSync(source);
  for (let round = 0; round < filesRounds; round += 1) {
    for (const path of paths) writeFileSync(join(source, path), randomBytes(fileBytes));
    await run('sync', ['-f', source]);

    const copyMs = await timed(() => run('cp', ['-r', source, copy]));
    const syncMs = await timed(() => run('sync', ['-f', copy]));
    legs.add('cp -r', copyMs);
    legs.add('cp -r + sync', copyMs + syncMs);

    const job = await legs.time('Bramble, submit with its files', async () =>
      bramble.admin.jobs.submit({
        command: ['true'],
        inputs: await Promise.all(
          paths.map(async (path) => ({ path: `in/${path}`, file: await fileFrom(join(source, path)) })),
        ),
        outputs: ['in/*'],
      }),
    );
    await job.wait();
    const known = await jobTimes(bramble, job.id);
    legs.add('Bramble, stage', between(known, 'staging', 'submitting'));
    legs.add('Bramble, collect', between(known, 'collecting', 'completed'));
    await legs.time('Bramble, download', () => job.outputs.download(results));
    for (const made of [copy, results]) rmSync(made, { recursive: true });
  }
  return {
    id: 'staging-many',
    title: '1,000 files of 4 KiB',
    textColumns: 1,
    columns: ['leg', 's', 'files/s', 'time, to cp -r'],
    rows: legs.rows(files, 'cp -r'),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
