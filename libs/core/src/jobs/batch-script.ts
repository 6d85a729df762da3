import { formatSlurmDuration, parseDurationSeconds } from '../vocabulary/duration.ts';
import { CONTROL_DIRECTORY, MPI_COMPILERS, type JobRequest } from './job-request.ts';
import { shellQuote } from './shell-quote.ts';

/** Exit status of a batch script that could not claim its run directory: `EX_TEMPFAIL` of sysexits.h. */
export const CLAIM_FAILED_STATUS = 75;

/** Exit status of a job that was started again although it was not requeued, and whose first run has left no end. */
export const STARTED_AGAIN_STATUS = 76;

export interface BatchScriptInput {
  jobId: string;
  name: string;
  request: JobRequest;
  /** The run directory as the nodes of the cluster see it. */
  runDirectory: string;
}

/**
 * The script that is handed to sbatch. Besides the user's work it
 *
 * - claims the run directory first, so that a second copy of the same job exits having done nothing, and so does the
 *   same job where a controller that was killed has forgotten that it started it,
 * - leaves its start and its end, with the exit status, on the shared storage: Slurm forgets a job after
 *   `MinJobAge` (300 s by default) and there may be no accounting.
 *
 * Values reach it quoted, or through schemas that leave nothing to quote.
 */
export function renderBatchScript(input: BatchScriptInput): string {
  const control = `${input.runDirectory}/${CONTROL_DIRECTORY}`;
  return [
    '#!/bin/bash',
    ...directives(input, control).map((option) => `#SBATCH ${option}`),
    '',
    `control=${shellQuote(control)}`,
    PROLOGUE,
    `export BRAMBLE_JOB_ID=${shellQuote(input.jobId)}`,
    'environment=(',
    ...Object.entries(input.request.env).map(([name, value]) => `  ${shellQuote(`${name}=${value}`)}`),
    ')',
    '',
    ...work(input),
    '',
  ].join('\n');
}

function directives({ jobId, name, request, runDirectory }: BatchScriptInput, control: string): string[] {
  const seconds = request.timeLimit === undefined ? undefined : parseDurationSeconds(request.timeLimit);
  const optional: [string, string | number | undefined][] = [
    ['nodes', request.nodes],
    ['ntasks', request.tasks],
    ['ntasks-per-node', request.tasksPerNode],
    ['cpus-per-task', request.cpusPerTask],
    ['mem', request.memory],
    ['time', seconds === undefined ? undefined : formatSlurmDuration(seconds)],
    ['partition', request.partition],
    ['constraint', request.constraint],
    ['account', request.account],
    ['qos', request.qos],
  ];
  return [
    `--job-name="${name}"`,
    `--comment=${jobId}`,
    `--chdir=${runDirectory}`,
    `--output=${control}/stdout.log`,
    `--error=${control}/stderr.log`,
    '--open-mode=append',
    '--no-requeue',
    ...optional.flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}=${option === 'constraint' ? `"${value}"` : value}`],
    ),
    ...(request.exclusive ? ['--exclusive'] : []),
  ];
}

/**
 * - `mv -T` is rename(2): it refuses a claim that is there, and shows the new one only with its content.
 * - Slurm sends SIGTERM to the batch script, and with cgroups to nothing else. `timeout`, here without a time, passes it
 *   on to all processes of the job, once, and waits for the script's second part, which ignores it while the program
 *   runs and records how that ended. Nothing is trapped: bash can lose a trapped signal, and commands with it.
 * - The program is started by `exec` in a shell of its own, so that no name means a builtin or a function of this
 *   script, and by env, which sets any variable to any value without a word to this shell.
 * - Without job control a shell has what it runs in the background ignore SIGINT and SIGQUIT; `launch` undoes that.
 */
const PROLOGUE = `
claim() {
  rm -rf "$attempt" && mkdir "$attempt" && mkdir "$attempt/$run" && printf '%s\\n' "$SLURM_JOB_ID" > "$attempt/slurm_job_id" &&
    sync "$attempt/slurm_job_id" && mv -T "$attempt" "$control/claim" 2> /dev/null
}
if [ "$1" != claimed ]; then
  attempt="$control/attempt.$SLURM_JOB_ID.$$"
  run="run.\${SLURM_RESTART_COUNT:-0}"
  if ! claim; then
    rm -rf "$attempt"
    if ! holder=$(cat "$control/claim/slurm_job_id"); then
      echo "bramble: the run directory could not be claimed" >&2
      exit ${CLAIM_FAILED_STATUS}
    fi
    [ "$holder" = "$SLURM_JOB_ID" ] || exit 0
    # Slurm counts requeues; a controller that lost its state starts the job again with the count that it had.
    if ! mkdir "$control/claim/$run" 2> /dev/null; then
      status=$(sed -n 's/.*"status":\\([0-9]*\\).*/\\1/p' "$control/exit" 2> /dev/null)
      exit "\${status:-${STARTED_AGAIN_STATUS}}"
    fi
    # A requeue: how the run before this one ended says nothing about this one.
    rm -f "$control/exit"
  fi
  exec timeout 0 "$BASH" "$0" claimed
fi

record() {
  printf '%s\\n' "$2" > "$control/$1.$$" && sync "$control/$1.$$" && mv -T "$control/$1.$$" "$control/$1"
}
finish() {
  record exit "{\\"slurmJobId\\":$SLURM_JOB_ID,\\"phase\\":\\"$1\\",\\"status\\":$2,\\"endedAt\\":$(date +%s)}"
  exit "$2"
}
launch() {
  trap - INT QUIT
  exec env -- "\${environment[@]}" "$@"
}
compile() {
  (launch "$@") || finish compile "$?"
}
run() {
  launch "$@" &
  trap '' TERM
  wait "$!"
  finish run "$?"
}
record start "{\\"slurmJobId\\":$SLURM_JOB_ID,\\"startedAt\\":$(date +%s)}"
`;

function work({ jobId, request }: BatchScriptInput): string[] {
  if (request.script !== undefined) {
    // The delimiter holds the job's id, which nobody knew when the script was written.
    const delimiter = `END_OF_SCRIPT_${jobId}`;
    return [
      // Half a script, or none, is not run.
      `{ cat > "$control/script" && chmod 0700 "$control/script"; } <<'${delimiter}' || exit ${CLAIM_FAILED_STATUS}`,
      request.script.endsWith('\n') ? request.script.slice(0, -1) : request.script,
      delimiter,
      'run "$control/script"',
    ];
  }
  if (request.command !== undefined) return [`run ${quoteCommand(request.command)}`];
  if (request.mpi !== undefined) return mpiWork(request.mpi);
  throw new Error('a job request has a script, a command or an MPI program');
}

/** env takes a first word with "=" in it for a variable; nice does not. */
function quoteCommand(command: readonly string[]): string {
  const words = command[0]?.includes('=') ? ['nice', '-n', '0', '--', ...command] : command;
  return words.map(shellQuote).join(' ');
}

/** What starts the ranks. Slurm's default for `srun --mpi` is none, with which Open MPI refuses to start. */
const LAUNCHERS = { mpirun: ['mpirun'], srun: ['srun', '--mpi=pmix'] } as const;

function mpiWork(mpi: NonNullable<JobRequest['mpi']>): string[] {
  const compile: string[] = [];
  let program = mpi.program;
  if (mpi.source !== undefined) {
    const stem = mpi.source.name.replace(/\.[^.]+$/, '');
    const compiler = MPI_COMPILERS[mpi.source.name.slice(stem.length + 1) as keyof typeof MPI_COMPILERS];
    program = `./${stem}`;
    const words = [compiler, ...mpi.compilerFlags, '-o', program, mpi.source.name, '-lm'];
    compile.push(`compile ${words.map(shellQuote).join(' ')}`);
  }
  if (program === undefined) throw new Error('an MPI job has a source or a program');
  const words = [...LAUNCHERS[mpi.launcher], program, ...mpi.args];
  return [...compile, `run ${words.map(shellQuote).join(' ')}`];
}
