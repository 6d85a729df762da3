import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RedisServer } from '../lab/database/redis-server.ts';
import { startBramble } from './bench-installation.ts';
import { startBenchLab } from './bench-lab.ts';
import type { Cleanup } from './cleanup.ts';
import { describeMachine, loadOfLastMinute } from './machine.ts';
import { measureEnd } from './measure-end.ts';
import { measureGrowth } from './measure-growth.ts';
import { measureStaging } from './measure-staging.ts';
import { measureSubmit } from './measure-submit.ts';
import { LONGEST_RUN_MS } from './plan.ts';
import { writeReport } from './report.ts';
import { runMeasurement } from './run-measurement.ts';
import { renderTable, type ResultTable } from './result-table.ts';

const USAGE = `Usage: npm run bench [-- options]
  --write          put the result into docs/benchmarks.md
  --only PART      only submit, staging, end or growth; may be repeated
  --profile DIR    leave CPU profiles of api and worker in DIR`;

const PARTS = ['submit', 'staging', 'end', 'growth'] as const;
type Part = (typeof PARTS)[number];

const startedAt = performance.now();
const log = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

interface Options {
  write: boolean;
  parts: Set<Part>;
  /** Further settings of api and worker. */
  environment: Record<string, string>;
}

/** @throws TypeError */
function readArguments(): Options {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      profile: { type: 'string' },
    },
  });
  const parts = values.only?.map((name) => {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) throw new TypeError(`there is no part "${name}"`);
    return part;
  });
  if (values.write && parts !== undefined) throw new TypeError('--write goes with a whole run');
  const environment: Record<string, string> = {};
  if (values.profile !== undefined) {
    const directory = resolve(values.profile);
    mkdirSync(directory, { recursive: true });
    environment.NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${directory}`;
  }
  return { write: values.write, parts: new Set(parts ?? PARTS), environment };
}

function argumentsOrUsage(): Options {
  try {
    return readArguments();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

async function measure({ write, parts, environment }: Options, cleanup: Cleanup): Promise<void> {
  const loadBefore = loadOfLastMinute();
  const lab = await startBenchLab(cleanup, log);
  const bramble = await startBramble(lab, cleanup, environment);
  const tables: ResultTable[] = [];
  const show = (measured: readonly ResultTable[]) => {
    for (const table of measured) console.log(`\n${table.title}\n\n${renderTable(table)}\n`);
    tables.push(...measured);
  };
  // Growth comes last, because its jobs stay, and ends of jobs right before it: by then the jobs that were cancelled
  // after the submissions are forgotten.
  if (parts.has('submit')) {
    log('Submission');
    const redis = await RedisServer.start();
    cleanup.add('Redis', () => redis.stop());
    const withRedis = await startBramble(lab, cleanup, { ...environment, REDIS_URL: redis.url });
    show(await measureSubmit(lab, { postgres: bramble, redis: withRedis }, log));
    await withRedis.stop();
  }
  if (parts.has('staging')) {
    log('Staging');
    show(await measureStaging(lab, bramble, log));
  }
  if (parts.has('end')) {
    log('Ends of jobs');
    show(await measureEnd(lab, bramble));
  }
  if (parts.has('growth')) {
    log('Growth');
    show(await measureGrowth(lab, bramble, log));
  }
  const conditions = `${new Date().toISOString().slice(0, 10)}; ${await describeMachine(lab)}; load average before the run ${loadBefore.toFixed(1)}.`;
  console.log(conditions);
  if (write) writeReport(conditions, tables);
}

const options = argumentsOrUsage();
await runMeasurement((cleanup) => measure(options, cleanup), { longestMs: LONGEST_RUN_MS, log });
