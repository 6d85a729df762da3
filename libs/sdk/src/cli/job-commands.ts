import { type Command, InvalidArgumentError } from 'commander';
import type { JobResource, JobState } from '../api-types.ts';
import { awaitEnd } from './await-end.ts';
import { wantsColour } from './colour.ts';
import { downloadOutputs } from './download-outputs.ts';
import { printLogs } from './follow-job.ts';
import { jobDetails, jobTable } from './job-table.ts';
import { byteCount, localTime } from './measures.ts';
import type { Session } from './session.ts';
import { pair } from './submission.ts';
import { collect, wholeNumber } from './submit-command.ts';
import { table } from './table.ts';
import { EXIT } from './exit-code.ts';

const STATES: readonly JobState[] = [
  ...(['accepted', 'staging', 'submitting', 'queued', 'running', 'collecting'] as const),
  ...(['completed', 'failed', 'cancelled', 'timed_out', 'out_of_memory', 'node_failed'] as const),
];

const OPERATION_PREFIX = 'op_';

interface ListOptions {
  state?: JobState[];
  name?: string;
  owner?: string;
  label?: string[];
  limit: number;
}

interface LogsOptions {
  follow?: boolean;
  stderr?: boolean;
  tail?: number;
}

export function addJobCommands(program: Command, session: Session): void {
  program
    .command('jobs')
    .summary('list jobs, newest first')
    .option('--state <state>', 'only jobs in this state (repeatable)', collectState)
    .option('--name <name>', 'only jobs of this name')
    .option('--owner <id>', 'only jobs of the user with this id')
    .option('--label <key=value>', 'only jobs with this label (repeatable)', collect)
    .option('--limit <n>', 'how many at most', wholeNumber, 20)
    .action((options: ListOptions) => list(session, options));

  program
    .command('job <id>')
    .summary('show a job')
    .action(async (id: string) => {
      const job = await session.client().jobs.get(id);
      await session.print(job, () => jobDetails(job.data, Date.now()));
    });

  program
    .command('logs <id>')
    .summary('print what a job has written')
    .option('-f, --follow', 'go on until the job has ended')
    .option('--stderr', 'standard error instead of standard output')
    .option('--tail <n>', 'only the last lines, this many', wholeNumber)
    .addHelpText('after', '\nExamples:\n  bramble logs -f job_…\n  bramble logs --stderr --tail 20 job_…')
    .action((id: string, options: LogsOptions) => logs(session, id, options));

  program
    .command('cancel <ids...>')
    .summary('cancel jobs, and operations on boards and services')
    .action(async (ids: string[]) => {
      const { jobs } = session.client();
      for (const id of ids) {
        if (id.startsWith(OPERATION_PREFIX)) {
          const operation = await session.client().admin.operations.cancel(id);
          await session.print(operation, () => `${id} is to be cancelled; it is ${operation.state}\n`);
          continue;
        }
        const job = await (await jobs.get(id)).cancel();
        await session.print(job, () => `${id} is to be cancelled; it is ${job.state}\n`);
      }
    });

  program
    .command('wait <id>')
    .summary('wait for the end of a job; its exit code becomes that of this command')
    .option('--timeout <seconds>', 'wait no longer than this; exit code 124', wholeNumber)
    .action(async (id: string, { timeout }: { timeout?: number }) => {
      const job = await session.client().jobs.get(id);
      await awaitEnd(session, job, { follow: false, timeoutMs: timeout && timeout * 1000 });
      if (session.json) await session.terminal.out(`${JSON.stringify(job, null, 2)}\n`);
    });

  program
    .command('files <id> [path]')
    .summary('list the files of a run directory')
    .option('-r, --recursive', 'all directories below it too')
    .action(async (id: string, path: string | undefined, { recursive }: { recursive?: true }) => {
      const job = await session.client().jobs.get(id);
      const files = await job.files({ path, recursive });
      await session.print(files, () =>
        table(
          [
            { title: 'MODE', value: ({ mode }) => mode },
            {
              title: 'SIZE',
              value: ({ type, size }) => (type === 'file' ? byteCount(size) : type),
              align: 'right',
            },
            { title: 'MODIFIED', value: ({ modifiedAt }) => localTime(modifiedAt) },
            { title: 'PATH', value: ({ path: name }) => name },
          ],
          files.items,
        ),
      );
      if (files.truncated) await session.tell('bramble: there are more files than are listed.');
    });

  program
    .command('download <id> [directory]')
    .summary('download the outputs of a job; goes on where an earlier download broke off')
    .option('--overwrite', 'replace files that are there with other content')
    .action(
      async (id: string, directory: string | undefined, { overwrite = false }: { overwrite?: boolean }) => {
        const job = await session.client().jobs.get(id);
        await downloadOutputs(session, job, directory ?? '.', { overwrite });
      },
    );
}

async function list(session: Session, { state, name, owner, label, limit }: ListOptions): Promise<void> {
  const labels = label && Object.fromEntries(label.map((text) => pair('--label', text)));
  const filters = { ...(name && { name }), ...(owner && { owner }) };
  const jobs: JobResource[] = [];
  for await (const job of session
    .client()
    .jobs.list({ ...filters, state, labels, limit: Math.min(limit, 500) })) {
    jobs.push(job.data);
    if (jobs.length === limit) break;
  }
  await session.print({ items: jobs }, () => jobTable(jobs, Date.now(), wantsColour(session.terminal)));
}

async function logs(
  session: Session,
  id: string,
  { follow = false, stderr, tail }: LogsOptions,
): Promise<void> {
  const job = await session.client().jobs.get(id);
  const interrupted = new AbortController();
  const forget = follow ? session.terminal.onInterrupt(() => interrupted.abort()) : () => {};
  try {
    await printLogs(session, job, {
      streams: [stderr ? 'stderr' : 'stdout'],
      follow,
      tail,
      signal: interrupted.signal,
    });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    session.exitCode = EXIT.interrupted;
  } finally {
    forget();
  }
}

function collectState(text: string, before: JobState[] = []): JobState[] {
  const state = STATES.find((candidate) => candidate === text);
  if (state === undefined) throw new InvalidArgumentError(`It must be one of ${STATES.join(', ')}.`);
  return [...before, state];
}
