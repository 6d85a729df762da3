import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { costReport } from './cost-report.ts';
import { ensureDebianPackages } from './debian-packages.ts';
import { ensureBinaries } from '../test/lab/kube/binaries.ts';
import { ensureMachinePrograms } from '../test/lab/kube/machine/machine-programs.ts';
import { CHECKOUT } from './installation.ts';

// Everything that has to hold, in one command: the cheap checks first, then the tests from the smallest to the whole.
// A step that fails does not keep the next ones from being run.

interface Step {
  name: string;
  command: string[];
  /** A vitest run, whose tests are counted. */
  vitest?: boolean;
}

interface Outcome {
  name: string;
  passed: number;
  failed: number;
  /** The names of the tests that failed. */
  failures: string[];
  seconds: number;
}

/** What this program reads of the report that vitest writes. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

const reports = mkdtempSync(join(tmpdir(), 'bramble-test-'));
/** Specs and fixtures note there what they cost. */
const ledger = join(reports, 'costs');
writeFileSync(ledger, '');

/** Together they take as long as the unit tests. */
const CHECKS: Step[] = [
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'boundaries', command: ['npm', 'run', '--silent', 'boundaries'] },
  { name: 'generated files', command: ['npm', 'run', '--silent', 'generated:check'] },
];
const UNIT_TESTS = vitest('unit tests', ['unit']);

/** Much of what they do is waiting for Slurm, so more of them run at once than there are cores. */
const LARGER_TESTS = vitest('larger tests', ['integration', 'sdk-package', 'e2e'], ['--maxWorkers=6']);

function vitest(name: string, projects: string[], options: string[] = []): Step {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${reportFile(name)}`];
  return {
    name,
    command: [
      'npx',
      'vitest',
      'run',
      ...projects.map((project) => `--project=${project}`),
      ...reporters,
      ...options,
    ],
    vitest: true,
  };
}

function reportFile(name: string): string {
  return join(reports, `${name}.json`);
}

/** @param output `live`, or `whole`: once the step has ended, so that it is not mixed with another's */
async function runStep(step: Step, output: 'live' | 'whole'): Promise<Outcome> {
  if (output === 'live') console.log(`\n== ${step.name}`);
  const startedAt = Date.now();
  const code = await exitCode(step, output);
  const seconds = (Date.now() - startedAt) / 1000;
  const counted = step.vitest === true ? countTests(step.name) : undefined;
  // A run that failed outside of its tests, or ran none, has failed all the same.
  const failed = Math.max(counted?.failed ?? 0, code === 0 ? 0 : 1);
  const passed = counted?.passed ?? (code === 0 ? 1 : 0);
  return { name: step.name, passed, failed, failures: counted?.failures ?? [], seconds };
}

async function exitCode(
  { name, command: [program = '', ...args] }: Step,
  output: 'live' | 'whole',
): Promise<number | null> {
  const written = output === 'live' ? 'inherit' : 'pipe';
  const child = spawn(program, args, {
    cwd: CHECKOUT,
    stdio: ['ignore', written, written],
    env: { ...process.env, BRAMBLE_TEST_COSTS: ledger },
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (output === 'whole') {
    console.log(`\n== ${name}`);
    process.stdout.write(Buffer.concat(chunks));
  }
  return code;
}

async function runOneByOne(steps: readonly Step[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push(await runStep(step, 'whole'));
  return outcomes;
}

function countTests(name: string): { passed: number; failed: number; failures: string[] } {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(reportFile(name), 'utf8')) as VitestReport;
  } catch {
    return { passed: 0, failed: 1, failures: ['there is no report of the tests'] };
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    failures: report.testResults.flatMap(failuresOf),
  };
}

function failuresOf({ name, status, assertionResults }: VitestReport['testResults'][number]): string[] {
  const file = relative(CHECKOUT, name);
  const failures = assertionResults.filter((test) => test.status === 'failed');
  if (status === 'failed' && failures.length === 0) return [`${file}, outside of its tests`];
  return failures.map(({ fullName, failureMessages }) => {
    const [reason = ''] = (failureMessages[0] ?? '').split('\n');
    return `${file}: ${fullName}: ${reason}`;
  });
}

const startedAt = Date.now();
await ensureDebianPackages('slurm', console.log);
await ensureDebianPackages('ssh', console.log);
await ensureDebianPackages('redis', console.log);
await ensureDebianPackages('sudo', console.log);
await ensureDebianPackages('boards', console.log);
await ensureDebianPackages('curl', console.log);
await ensureDebianPackages('browser', console.log);
await ensureDebianPackages('kube', console.log);
await ensureDebianPackages('images', console.log);
await ensureMachinePrograms(await ensureBinaries(console.log), console.log);

const checked = await Promise.all([runOneByOne(CHECKS), runOneByOne([UNIT_TESTS])]);
const outcomes = [...checked.flat(), await runStep(LARGER_TESTS, 'live')];
for (const line of costReport(ledger)) console.log(line);
rmSync(reports, { recursive: true, force: true });

console.log('');
for (const { failures } of outcomes) for (const failure of failures) console.log(`failed  ${failure}`);
for (const { name, passed, failed, seconds } of outcomes) {
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(16)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${seconds.toFixed(1).padStart(7)} s`,
  );
}
console.log(`in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
const sum = (read: (outcome: Outcome) => number) =>
  outcomes.reduce((total, outcome) => total + read(outcome), 0);
console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
process.exitCode = sum(({ failed }) => failed) === 0 ? 0 : 1;
