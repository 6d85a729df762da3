import { parseArgs } from 'node:util';
import type { Cleanup } from '../cleanup.ts';
import { describeMachine, loadOfLastMinute } from '../machine.ts';
import { writeReport } from '../report.ts';
import { runMeasurement } from '../run-measurement.ts';
import { renderTable, type ResultTable } from '../result-table.ts';
import { Ansible } from './ansible.ts';
import { startCluster } from './bench-cluster.ts';
import { type EnrolmentTimes, enrolmentTables, measureEnrolment, settle } from './measure-enrolment.ts';
import { measureSecondRun, type SecondRun, secondRunTables } from './measure-second-run.ts';
import { LONGEST_RUN_MS, NO_MORE_ROUNDS_AFTER_MS, PLAN } from './plan.ts';

const USAGE = `Usage: npm run bench:boards -- [options]
  --write          put the result into docs/benchmarks.md
  --boards COUNT   only with this many boards, 1, 4 or 8; may be repeated`;

const startedAt = performance.now();
const log = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);

interface Options {
  write: boolean;
  sizes: readonly (typeof PLAN.sizes)[number][];
}

/** @throws TypeError */
function readArguments(): Options {
  const { values } = parseArgs({
    options: { write: { type: 'boolean', default: false }, boards: { type: 'string', multiple: true } },
  });
  const sizes = values.boards?.map((text) => {
    const size = PLAN.sizes.find(({ boards }) => String(boards) === text);
    if (size === undefined) throw new TypeError(`it is not measured with "${text}" boards`);
    return size;
  });
  if (values.write && sizes !== undefined) throw new TypeError('--write goes with a whole run');
  return { write: values.write, sizes: sizes ?? PLAN.sizes };
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

async function measure({ write, sizes }: Options, cleanup: Cleanup): Promise<void> {
  const loadBefore = loadOfLastMinute();
  const enrolments: EnrolmentTimes[] = [];
  const runs: SecondRun[] = [];
  let machine = '';
  for (const { boards, noNewRoundAfterMs } of sizes) {
    log(`${boards} bare board${boards === 1 ? '' : 's'}`);
    const cluster = await startCluster(boards, cleanup, log);
    machine = await describeMachine(cluster.slurm);
    const enrolment = await measureEnrolment(cluster);
    log(`enrolled in ${(enrolment.togetherMs / 1000).toFixed(1)} s`);
    enrolments.push(enrolment);
    await settle(cluster);
    const ansible = await Ansible.prepare(cluster, cleanup, log);
    const roundsEndAfterMs = NO_MORE_ROUNDS_AFTER_MS - (performance.now() - startedAt);
    const patienceMs = Math.min(noNewRoundAfterMs, roundsEndAfterMs);
    runs.push(...(await measureSecondRun(cluster, ansible, patienceMs, log)));
    await cluster.end();
  }
  const tables: ResultTable[] = [...enrolmentTables(enrolments), ...secondRunTables(runs)];
  for (const table of tables) console.log(`\n${table.title}\n\n${renderTable(table)}\n`);
  const conditions = `${new Date().toISOString().slice(0, 10)}; ${machine}, ${Ansible.release()}; load average before the run ${loadBefore.toFixed(1)}.`;
  console.log(conditions);
  if (write) writeReport(conditions, tables, 'boards-conditions');
}

const options = argumentsOrUsage();
await runMeasurement((cleanup) => measure(options, cleanup), { longestMs: LONGEST_RUN_MS, log });
