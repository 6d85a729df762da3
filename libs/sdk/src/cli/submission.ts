import { stat } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { LocalInput, JobSubmission } from '../jobs/job-submission.ts';
import { fileFrom } from '../node/file-from.ts';
import { UsageError } from './usage-error.ts';

/** The options of `bramble submit` that describe the job. */
export interface SubmissionOptions {
  name?: string;
  nodes?: number;
  tasks?: number;
  tasksPerNode?: number;
  cpusPerTask?: number;
  memory?: string;
  time?: string;
  partition?: string;
  constraint?: string;
  account?: string;
  qos?: string;
  exclusive?: true;
  env?: string[];
  input?: string[];
  output?: string[];
  label?: string[];
  mpi?: true;
  programArgs?: string[];
  compilerFlag?: string[];
  launcher?: 'mpirun' | 'srun';
}

export interface CommandLine {
  file: string | undefined;
  /** What stood after `--`. */
  rest: readonly string[] | undefined;
  options: SubmissionOptions;
  environment: Record<string, string | undefined>;
}

const MPI_SOURCE = /^\.(c|cc|cpp|cxx|f|f90|f95|f03|f08)$/;

/**
 * The job that a command line asks for.
 * @throws UsageError naming the argument that is wrong
 */
export async function readSubmission(line: CommandLine): Promise<JobSubmission> {
  const { options, environment } = line;
  const { name, nodes, tasks, tasksPerNode, cpusPerTask, memory } = options;
  const { partition, constraint, account, qos, exclusive } = options;
  return {
    ...(await programOf(line)),
    ...(name === undefined ? {} : { name }),
    ...{ nodes, tasks, tasksPerNode, cpusPerTask, memory, timeLimit: options.time },
    ...{ partition, constraint, account, qos, exclusive },
    ...(options.env && { env: variables(options.env, environment) }),
    ...(options.label && { labels: Object.fromEntries(options.label.map((text) => pair('--label', text))) }),
    ...(options.input && { inputs: await Promise.all(options.input.map(readInput)) }),
    ...(options.output && { outputs: options.output }),
  };
}

type Program = Pick<JobSubmission, 'name' | 'script' | 'command' | 'mpi'>;

async function programOf({ file, rest, options }: CommandLine): Promise<Program> {
  if (file === undefined) return commandOf(rest ?? [], options);
  const { launcher, compilerFlag: compilerFlags } = options;
  const args = [...(options.programArgs ?? []), ...(rest ?? [])];
  if (MPI_SOURCE.test(extname(file).toLowerCase())) {
    return { mpi: { source: await localFile(file), args, compilerFlags, launcher } };
  }
  const text = await readText(file);
  if (!text.startsWith('#!')) {
    throw new UsageError(
      `${file} is neither an MPI source (.c, .cc, .cpp, .cxx, .f, .f90, .f95, .f03, .f08) nor a script: a script ` +
        'begins with "#!" and its interpreter. To run a command, write it behind "--".',
    );
  }
  if (args.length > 0)
    throw new UsageError('A batch script takes no arguments; "--env" can tell it what to do.');
  refuseMpiOptions(options);
  return { name: scriptName(file, text), script: text };
}

const NAMED_BY_ITSELF = /^#SBATCH\s.*(?:-J|--job-name)/m;

/** A script is called after its file, as sbatch does, unless one of its own lines names it. */
function scriptName(file: string, text: string): string | undefined {
  const name = basename(file);
  return NAMED_BY_ITSELF.test(text) || !/^[A-Za-z0-9_][A-Za-z0-9 ._+=:@-]{0,127}$/.test(name)
    ? undefined
    : name;
}

function commandOf(command: readonly string[], options: SubmissionOptions): Program {
  const [program, ...args] = command;
  if (program === undefined) {
    throw new UsageError('What is to be run? Give a file, or a command behind "--".');
  }
  const { launcher } = options;
  if (options.mpi) return { mpi: { program, args: [...args, ...(options.programArgs ?? [])], launcher } };
  refuseMpiOptions(options);
  if (options.programArgs !== undefined) throw new UsageError('Write the arguments of a command behind it.');
  return { command: [program, ...args] };
}

function refuseMpiOptions({ mpi, launcher, compilerFlag }: SubmissionOptions): void {
  if (mpi ?? launcher ?? compilerFlag) {
    throw new UsageError('"--mpi", "--launcher" and "--compiler-flag" are for MPI programs only.');
  }
}

function variables(
  texts: readonly string[],
  environment: CommandLine['environment'],
): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      if (text.includes('=')) return pair('--env', text);
      const value = environment[text];
      if (value === undefined) throw new UsageError(`--env ${text}: there is no variable "${text}" here.`);
      return [text, value];
    }),
  );
}

export function pair(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`${option} ${text}: must be NAME=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `PATH`, or `PATH:DEST`; a colon that belongs to the name of a file that is there separates nothing. */
async function readInput(text: string): Promise<LocalInput> {
  const at = text.lastIndexOf(':');
  const whole = at === -1 || (await stat(text).catch(() => undefined)) !== undefined;
  const [local, path] = whole ? [text, basename(text)] : [text.slice(0, at), text.slice(at + 1)];
  const file = await localFile(local);
  const { mode } = await stat(local);
  return { path, file, ...((mode & 0o100) === 0 ? {} : { mode: '0755' }) };
}

const localFile = (path: string) =>
  readable(path, async () => {
    if ((await stat(path)).isDirectory()) throw new UsageError(`${path} is a directory.`);
    return fileFrom(path);
  });

const readText = (path: string) => readable(path, () => readFile(path, 'utf8'));

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  }
}
