import { type Command, InvalidArgumentError, Option } from 'commander';
import { awaitEnd } from './await-end.ts';
import { downloadOutputs } from './download-outputs.ts';
import type { Session } from './session.ts';
import { readSubmission, type SubmissionOptions } from './submission.ts';

interface SubmitCommandOptions extends SubmissionOptions {
  follow?: true;
  wait?: true;
  download?: string;
  overwrite?: true;
  idempotencyKey?: string;
}

const EXAMPLES = `
Examples:
  bramble submit pi.c --nodes 4 --tasks-per-node 4 --follow
  bramble submit solver.f90 --tasks 16 --input mesh.dat --output '*.vtk' --download results -- --steps 1000
  bramble submit job.sh --time 2h --label study=42
  bramble submit --nodes 2 --wait -- srun hostname
  bramble submit --tasks 8 --mpi -- ./solver mesh.dat

The exit code of --follow, --wait and --download is that of the job; 128+n where signal n ended it, 124 where it ran
out of time. Without them the job's id is printed.`;

export function addSubmitCommand(program: Command, session: Session): void {
  program
    .command('submit')
    .summary('submit an MPI source, a batch script, or a command behind "--"')
    .description(
      'Submit a job. FILE is a C, C++ or Fortran source, which is compiled on the cluster and started with MPI, or a ' +
        'script that begins with "#!". What stands behind "--" are the arguments of an MPI source, or, without FILE, ' +
        'a command that is run once on the first node.',
    )
    .argument('[file]', 'an MPI source (.c, .cpp, .f90 …) or a batch script')
    .option('--name <name>', 'a name for people')
    .option('--nodes <n>', 'nodes', wholeNumber)
    .option('--tasks <n>', 'tasks (MPI ranks) in all', wholeNumber)
    .option('--tasks-per-node <n>', 'tasks on each node', wholeNumber)
    .option('--cpus-per-task <n>', 'CPUs for each task', wholeNumber)
    .option('--memory <amount>', 'memory on each node, such as 512M')
    .option('--time <duration>', 'time limit, such as 90s, 2h or 1-12:00:00')
    .option('--partition <name>', 'partition')
    .option('--constraint <features>', 'features that the nodes must have, such as rpi4')
    .option('--account <name>', 'Slurm account to charge')
    .option('--qos <name>', 'quality of service')
    .option('--exclusive', 'no other job on the nodes')
    .option(
      '--env <name=value>',
      'environment variable; a NAME alone is taken from here (repeatable)',
      collect,
    )
    .option('--input <path[:dest]>', 'file to put into the run directory (repeatable)', collect)
    .option('--output <glob>', 'which files are outputs, such as "*.csv" (repeatable)', collect)
    .option('--label <key=value>', 'label to find the job by (repeatable)', collect)
    .option('--program-args <args...>', 'arguments of the MPI program; or write them behind "--"')
    .option('--compiler-flag <flag>', 'as --compiler-flag=-O3 (repeatable)', collect)
    .addOption(new Option('--launcher <name>', 'what starts the ranks').choices(['mpirun', 'srun']))
    .option('--mpi', 'start the command behind "--" with MPI, on all tasks')
    .option('--idempotency-key <key>', 'submitted again with the same key, it is the same job')
    .option('-f, --follow', 'print what the job writes, until its end')
    .option('--wait', 'wait for its end')
    .option('--download <directory>', 'wait for its end, and download the outputs')
    .option('--overwrite', 'let the download replace files')
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, options: SubmitCommandOptions) => submit(session, file, options));
}

async function submit(
  session: Session,
  file: string | undefined,
  options: SubmitCommandOptions,
): Promise<void> {
  const { environment } = session.terminal;
  const submission = await readSubmission({ file, rest: session.rest, options, environment });
  const { idempotencyKey, follow = false, wait = false, download } = options;
  const job = await session.client().jobs.submit(submission, { idempotencyKey });
  if (!follow && !wait && download === undefined) {
    await session.print(job, () => `${job.id}\n`);
    return;
  }
  await session.tell(`bramble: ${job.name} is job ${job.id}`);
  const completed = await awaitEnd(session, job, { follow });
  if (session.json) await session.terminal.out(`${JSON.stringify(job)}\n`);
  if (completed && download !== undefined) {
    await downloadOutputs(session, job, download, { overwrite: options.overwrite ?? false });
  }
}

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of at least 1.');
}

export const collect = (value: string, before: string[] = []): string[] => [...before, value];
