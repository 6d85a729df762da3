import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { account } from './accounts.ts';
import { canConstrainMemory } from './memory-cgroups.ts';
import { writeRecording } from './recording.ts';
import { labDown, labUp } from './slurm-lab.ts';
import type { CommandResult, SlurmLab } from './slurm-lab.ts';
import { waitUntil } from './waiting.ts';

/**
 * Asks a real Slurm everything that Bramble has to understand, and writes its answers to `recorded/`. Takes about four
 * minutes, in a lab of its own. Run it again when another release of Slurm is to be supported, and review the difference.
 */

const LAB_DIRECTORY = '/var/tmp/bramble-recording/lab';
/** Loses its power while other jobs run: they are kept away from it. */
const NODE_TO_KILL = 'node05';
const SEPARATOR = '\x1f';
const FIELDS = ['%i', '%T', '%r', '%u', '%U', '%V', '%S', '%e', '%N', '%D', '%C', '%P', '%Q', '%k', '%j'];
const FORMAT = FIELDS.join(SEPARATOR);
const LONG_FORMAT = ['JobID', 'State', 'exit_code', 'DerivedEC', 'Reason', 'SubmitTime', 'EndTime']
  .map((field) => `${field}:32`)
  .join(',');
const EPOCH_SECONDS = { SLURM_TIME_FORMAT: '%s' };

const CRASH = 'int main(void) { *(volatile int *)8 = 1; }\n';
const GREEDY = `#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { for (;;) { char *block = malloc(16 << 20); memset(block, 1, 16 << 20); usleep(20000); } }
`;

interface Recorder {
  lab: SlurmLab;
  directory: string;
  record: (name: string, argv: string[], options?: RecordOptions) => Promise<CommandResult>;
  /** Submits as the first account and returns the job's id. */
  submit: (jobName: string, options: string[], script: string) => Promise<string>;
}

interface RecordOptions {
  user?: string;
  environment?: Record<string, string>;
  input?: string;
}

async function main(): Promise<void> {
  await labDown(LAB_DIRECTORY);
  const lab = await labUp({ dir: LAB_DIRECTORY });
  try {
    const recorder = createRecorder(lab);
    await recordSubmissions(recorder);
    await recordConfiguration(recorder);
    await recordUnknownJobs(recorder);
    await Promise.all([
      recordWaitingJobs(recorder),
      recordEndedJobs(recorder),
      recordTimeLimit(recorder),
      recordPower(recorder),
      recordMissingConfiguration(recorder),
    ]);
    await recordSilentController(recorder);
    await recordMissingController(recorder);
    if (canConstrainMemory()) await recordOutOfMemory();
  } finally {
    await labDown(LAB_DIRECTORY);
  }
}

function createRecorder(lab: SlurmLab): Recorder {
  const owner = account(lab.accounts.first);
  const directory = join(lab.storageDir, 'recording');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  chownSync(directory, owner.uid, owner.gid);
  writeFileSync(join(directory, 'crash.c'), CRASH);
  writeFileSync(join(directory, 'greedy.c'), GREEDY);

  const run = (argv: string[], options: RecordOptions = {}): Promise<CommandResult> =>
    lab.run(argv, { user: lab.accounts.first, directory, timeoutMs: 300_000, ...options });
  return {
    lab,
    directory,
    async record(name, argv, options = {}) {
      const result = await run(argv, options);
      const { exitCode, durationMs, stdout, stderr } = result;
      writeRecording(name, { command: shellCommand(argv, options), exitCode, durationMs, stdout, stderr });
      console.log(
        `${name}: exit code ${exitCode}, ${Math.round(durationMs)} ms, ${(stderr || stdout).trim().split('\n')[0]}`,
      );
      return result;
    },
    async submit(jobName, options, script) {
      const placement = options.some((option) => option.startsWith('--nodelist='))
        ? []
        : [`--exclude=${NODE_TO_KILL}`];
      const submitted = await run(
        ['sbatch', '--parsable', '--output=/dev/null', `--job-name=${jobName}`, ...placement, ...options],
        { input: `#!/bin/bash\n${script}\n` },
      );
      if (submitted.exitCode !== 0) throw new Error(`${jobName} was refused: ${submitted.stderr}`);
      return submitted.stdout.trim();
    },
  };
}

function shellCommand(argv: string[], { environment = {}, input, user }: RecordOptions): string {
  const words = [
    ...Object.entries(environment).map(([key, value]) => `${key}=${shellWord(value)}`),
    ...argv.map(shellWord),
  ].join(' ');
  return `${user === undefined ? '' : `# as ${user}\n`}${words}${input === undefined ? '' : ` <<'END'\n${input}END`}`;
}

function shellWord(word: string): string {
  if (/^[\w%@+=:,./-]+$/.test(word)) return word;
  return word.includes(SEPARATOR) ? `$'${word.replaceAll(SEPARATOR, String.raw`\x1f`)}'` : `'${word}'`;
}

async function recordSubmissions({ record, lab }: Recorder): Promise<void> {
  const script = '#!/bin/sh\ntrue\n';
  const sbatch = (name: string, options: string[], input = script): Promise<CommandResult> =>
    record(`sbatch-${name}`, ['sbatch', '--parsable', '--output=/dev/null', ...options], { input });
  await sbatch('accepted', []);
  await sbatch('array-accepted', ['--array=0-3']);
  await sbatch('unknown-partition', ['--partition=nosuch']);
  await sbatch('too-many-nodes', ['--nodes=5']);
  await sbatch('too-many-nodes-for-partition', ['--partition=short', '--nodes=3']);
  await sbatch('too-many-tasks', ['--ntasks=17']);
  await sbatch('too-many-cpus-per-task', ['--cpus-per-task=5']);
  await sbatch('time-over-partition-limit', ['--partition=short', '--time=10']);
  await sbatch('bad-time', ['--time=soon']);
  await sbatch('unknown-constraint', ['--constraint=nosuch']);
  await sbatch('unsatisfiable-constraint', ['--constraint=rpi4&nosuch']);
  await sbatch('memory-too-large', ['--mem=8G']);
  await sbatch('memory-per-cpu-too-large', ['--mem-per-cpu=8G']);
  await sbatch('unknown-node', ['--nodelist=node99']);
  await sbatch('unknown-dependency', ['--dependency=afterok:999999']);
  await sbatch('array-too-large', ['--array=0-1001']);
  await sbatch('unknown-gres', ['--gres=gpu:1']);
  await sbatch('unknown-option', ['--no-such-option']);
  await sbatch('unknown-qos', ['--qos=nosuch']);
  await sbatch('unknown-account', ['--account=nosuch']);
  await sbatch('unknown-reservation', ['--reservation=nosuch']);
  await sbatch('directory-missing', ['--chdir=/nosuch']);
  await sbatch('empty-script', [], '');
  await sbatch('script-without-shebang', [], 'true\n');
  await sbatch('script-with-dos-lines', [], '#!/bin/sh\r\ntrue\r\n');
  await record('sbatch-as-another-user', ['sbatch', '--parsable', '--uid=root', '--output=/dev/null'], {
    input: script,
  });
  await record(
    'sbatch-by-root-for-user',
    ['sbatch', '--parsable', `--uid=${lab.accounts.first}`, '--output=/dev/null'],
    {
      input: script,
      user: 'root',
    },
  );
  await record('squeue-all-users', ['squeue', '-h', '-t', 'all', '-o', '%i %u %U']);
  await record('sbatch-version', ['sbatch', '--version']);
  await lab.run(['scancel', `--user=${lab.accounts.first}`]);
}

async function recordConfiguration({ record }: Recorder): Promise<void> {
  await record('scontrol-ping', ['scontrol', 'ping']);
  await record('scontrol-show-config', ['scontrol', 'show', 'config']);
  await record('scontrol-show-partition', ['scontrol', 'show', 'partition', '-o']);
  await record('scontrol-show-node', ['scontrol', 'show', 'node', '-o'], { environment: EPOCH_SECONDS });
  await record('scontrol-show-unknown-node', ['scontrol', 'show', 'node', 'node99', '-o']);
  await record('sinfo', [
    'sinfo',
    '-h',
    '-N',
    '-o',
    ['%N', '%R', '%T', '%c', '%m', '%f', '%G', '%E'].join(SEPARATOR),
  ]);
  await record('sinfo-partitions', [
    'sinfo',
    '-h',
    '-s',
    '-o',
    ['%R', '%a', '%l', '%L', '%F', '%C'].join(SEPARATOR),
  ]);
  await record('sacct-without-accounting', ['sacct', '-n', '-P']);
}

async function recordMissingConfiguration({ record }: Recorder): Promise<void> {
  await record('sbatch-without-configuration', ['sbatch', '--parsable'], {
    input: '#!/bin/sh\ntrue\n',
    environment: { SLURM_CONF: '/nosuch/slurm.conf' },
  });
}

async function recordUnknownJobs({ record, submit, lab }: Recorder): Promise<void> {
  await record('squeue-unknown-job', ['squeue', '-h', '-t', 'all', '-j', '999999', '-o', FORMAT]);
  await record('squeue-unknown-job-among-known', [
    'squeue',
    '-h',
    '-t',
    'all',
    '-j',
    '1,999999',
    '-o',
    '%i %T',
  ]);
  await record('squeue-unknown-user', ['squeue', '-h', '-u', 'nosuch']);
  await record('scontrol-show-unknown-job', ['scontrol', 'show', 'job', '-o', '999999']);
  await record('scancel-unknown-job', ['scancel', '999999']);
  await record('scancel-ended-job', ['scancel', '1']);
  await record('scancel-ended-job-verbosely', ['scancel', '--verbose', '1']);
  const foreign = await submit('foreign', ['--begin=now+1hour'], 'true');
  await record('scancel-another-users-job', ['scancel', foreign], { user: lab.accounts.second });
  await record('scontrol-update-another-users-job', ['scontrol', 'hold', foreign], {
    user: lab.accounts.second,
  });
  await lab.run(['scancel', foreign]);
}

async function recordJob({ record }: Recorder, name: string, id: string): Promise<void> {
  await record(`squeue-${name}`, ['squeue', '-h', '-t', 'all', '-j', id, '-o', FORMAT], {
    environment: EPOCH_SECONDS,
  });
  await record(`squeue-long-${name}`, ['squeue', '-h', '-t', 'all', '-j', id, '-O', LONG_FORMAT], {
    environment: EPOCH_SECONDS,
  });
  await record(`scontrol-${name}`, ['scontrol', 'show', 'job', '-o', id], { environment: EPOCH_SECONDS });
}

async function recordWaitingJobs(recorder: Recorder): Promise<void> {
  const { submit, lab, record } = recorder;
  const running = await submit('running', ['--nodelist=node02', '--comment=token-1'], 'sleep 30');
  await waitForState(lab, running, ['RUNNING']);
  await recordJob(recorder, 'running', running);
  const failing = await submit('failing', ['--nodelist=node02'], 'exit 1');
  await waitForState(lab, failing, ['FAILED']);
  const waiting: Record<string, string> = {
    'pending-held': await submit('held', ['--hold'], 'true'),
    'pending-begin-time': await submit('later', ['--begin=now+1hour'], 'true'),
    'pending-dependency': await submit('dependent', [`--dependency=afterok:${running}`], 'true'),
    'pending-dependency-never-satisfied': await submit('orphan', [`--dependency=afterok:${failing}`], 'true'),
    'pending-partition-down': await submit('partition-down', ['--partition=down'], 'true'),
    'pending-resources': await submit('large', ['--nodes=3', '--exclusive'], 'true'),
    'pending-priority': await submit('behind', ['--nodes=3', '--exclusive'], 'true'),
    'pending-array': await submit('array', ['--array=0-9%2', '--hold'], 'true'),
    'pending-odd-text': await submit(
      'a|b "c" \\ ü,\'d\' ',
      ['--hold', '--comment=x|y z=1 "q" \\ é', '--chdir=/tmp'],
      'true',
    ),
  };
  await sleep(3_000);
  for (const [name, id] of Object.entries(waiting)) await recordJob(recorder, name, id);
  await record('squeue-all', ['squeue', '-h', '-t', 'all', '-o', FORMAT], { environment: EPOCH_SECONDS });
  await record('squeue-all-array-tasks', ['squeue', '-h', '-r', '-t', 'all', '-o', FORMAT], {
    environment: EPOCH_SECONDS,
  });
  const cancelled = waiting['pending-held'] ?? '';
  await record('scancel', ['scancel', cancelled]);
  await recordJob(recorder, 'cancelled-while-pending', cancelled);
  for (const id of Object.values(waiting)) await lab.run(['scancel', id]);
}

async function recordEndedJobs(recorder: Recorder): Promise<void> {
  const { submit, lab, directory } = recorder;
  const compile = (program: string): string => `gcc -o ${program} ${program}.c`;
  const ended: Record<string, { id: string; state: string }> = {
    completed: { id: await submit('completed', ['--comment=token-2'], 'true'), state: 'COMPLETED' },
    'exit-code-3': { id: await submit('exit-code-3', [], 'exit 3'), state: 'FAILED' },
    'script-killed-by-sigsegv': { id: await submit('sigsegv', [], 'kill -SEGV $$'), state: 'FAILED' },
    'program-crashed': {
      id: await submit('crash', [], `${compile('crash')} && exec ./crash`),
      state: 'FAILED',
    },
    'program-crashed-under-srun': {
      id: await submit('crash-srun', [], `gcc -o crash2 crash.c && srun ./crash2`),
      state: 'FAILED',
    },
    'program-crashed-under-shell': {
      id: await submit('crash-shell', [], `gcc -o crash3 crash.c; ./crash3; exit $?`),
      state: 'FAILED',
    },
    'command-not-found': { id: await submit('not-found', [], 'nosuch'), state: 'FAILED' },
    'output-not-writable': {
      id: await submit('no-output', ['--output=/nosuch/directory/output'], 'true'),
      state: 'FAILED',
    },
    'over-memory-without-cgroups': {
      id: await submit('greedy', ['--mem=200'], `${compile('greedy')} && ./greedy`),
      state: 'FAILED',
    },
  };
  for (const [name, { id, state }] of Object.entries(ended)) {
    await waitForState(lab, id, [state]);
    await recordJob(recorder, name, id);
  }
  const cancelled = await submit('cancelled', [], 'sleep 300');
  await waitForState(lab, cancelled, ['RUNNING']);
  await lab.run(['scancel', cancelled], { user: lab.accounts.first });
  await waitForState(lab, cancelled, ['CANCELLED']);
  await recordJob(recorder, 'cancelled-while-running', cancelled);
  const deaf = await submit('deaf', [], "trap '' TERM; for i in $(seq 300); do sleep 1; done");
  await waitForState(lab, deaf, ['RUNNING']);
  await sleep(500);
  await lab.run(['scancel', deaf], { user: lab.accounts.first });
  await recordJob(recorder, 'completing', deaf);
  await waitForState(lab, deaf, ['CANCELLED']);
  await recordJob(recorder, 'cancelled-while-deaf', deaf);
  rmSync(join(directory, 'output'), { force: true });
}

/** Needs cgroups of version 1; elsewhere the recording of another machine stays. */
async function recordOutOfMemory(): Promise<void> {
  const lab = await labUp({ dir: LAB_DIRECTORY, settings: { memoryLimits: 'cgroup' } });
  const recorder = createRecorder(lab);
  const id = await recorder.submit('greedy', ['--mem=200'], 'gcc -o greedy2 greedy.c && ./greedy2');
  await waitForState(lab, id, ['OUT_OF_MEMORY']);
  await recordJob(recorder, 'out-of-memory', id);
}

async function recordTimeLimit(recorder: Recorder): Promise<void> {
  const id = await recorder.submit('time-limit', ['--partition=short', '--time=1'], 'sleep 600');
  await waitForState(recorder.lab, id, ['TIMEOUT'], 180_000);
  await recordJob(recorder, 'time-limit', id);
}

async function recordPower(recorder: Recorder): Promise<void> {
  const { lab, submit, record } = recorder;
  const lost = await submit('lost', [`--nodelist=${NODE_TO_KILL}`, '--no-requeue'], 'sleep 600');
  const requeued = await submit('requeued', [`--nodelist=${NODE_TO_KILL}`, '--requeue'], 'sleep 600');
  await waitForState(lab, lost, ['RUNNING']);
  await waitForState(lab, requeued, ['RUNNING']);
  const killedAt = performance.now();
  await lab.killNode(NODE_TO_KILL);
  await waitForState(lab, lost, ['NODE_FAIL'], 120_000);
  console.log(`A killed node was noticed after ${((performance.now() - killedAt) / 1000).toFixed(1)} s`);
  await recordJob(recorder, 'node-failed', lost);
  await recordJob(recorder, 'requeued-after-node-failure', requeued);
  await record('sinfo-node-down', ['sinfo', '-h', '-N', '-p', 'compute', '-o', '%N %T %E']);
  await record('scontrol-show-node-down', ['scontrol', 'show', 'node', '-o', NODE_TO_KILL], {
    environment: EPOCH_SECONDS,
  });
  await lab.run(['scancel', requeued]);
  await lab.startNode(NODE_TO_KILL);
  await lab.run([
    'scontrol',
    'update',
    `NodeName=${NODE_TO_KILL}`,
    'State=DRAIN',
    'Reason=replace the SD card',
  ]);
  const avoided = await submit('avoided', [`--nodelist=${NODE_TO_KILL}`], 'true');
  await sleep(3_000);
  await recordJob(recorder, 'pending-node-drained', avoided);
  await record('sinfo-node-drained', ['sinfo', '-h', '-N', '-p', 'compute', '-o', '%N %T %E']);
  await lab.run(['scancel', avoided]);
  await lab.startNode(NODE_TO_KILL);
}

/** slurmctld takes requests and does not answer, then goes on: was the job submitted or not? */
async function recordSilentController({ lab, record }: Recorder): Promise<void> {
  lab.pauseController();
  try {
    await Promise.all([
      record('silent-sbatch', ['sbatch', '--parsable', '--output=/dev/null', '--job-name=silent', '--hold'], {
        input: '#!/bin/sh\ntrue\n',
      }),
      record('silent-squeue', ['squeue', '-h', '-o', FORMAT]),
      record('silent-scontrol-ping', ['scontrol', 'ping']),
      record('silent-scancel', ['scancel', '999999']),
    ]);
  } finally {
    lab.continueController();
  }
  await sleep(3_000);
  await record('silent-afterwards', ['squeue', '-h', '-t', 'all', '--name=silent', '-o', '%i %T %j']);
}

async function recordMissingController({ lab, record }: Recorder): Promise<void> {
  await lab.stopController();
  const input = '#!/bin/sh\ntrue\n';
  await Promise.all([
    record('down-scontrol-ping', ['scontrol', 'ping']),
    record('down-squeue', ['squeue', '-h', '-o', FORMAT]),
    record('down-sinfo', ['sinfo', '-h']),
    record('down-scancel', ['scancel', '999999']),
    record('down-scontrol-show-job', ['scontrol', 'show', 'job', '-o', '1']),
    record('down-sbatch', ['sbatch', '--parsable'], { input }),
    record('down-sbatch-under-timeout', ['timeout', '15', 'sbatch', '--parsable'], { input }),
  ]);
  await lab.startController();
  await record('sbatch-after-restart', ['sbatch', '--parsable', '--output=/dev/null'], { input });
}

async function waitForState(lab: SlurmLab, id: string, states: string[], timeoutMs = 60_000): Promise<void> {
  const ask = (): Promise<CommandResult> => lab.run(['squeue', '-h', '-t', 'all', '-j', id, '-o', '%T %r']);
  await waitUntil(
    `job ${id} to be ${states.join(' or ')}`,
    async () => states.includes((await ask()).stdout.split(' ')[0] ?? ''),
    { timeoutMs, intervalMs: 100, onTimeout: async () => (await ask()).stdout },
  );
}

await main();
