import {
  Bramble,
  type DownloadedFile,
  fileFrom,
  InvalidRequestError,
  type Job,
  JobFailedError,
  type JobResource,
  type JobState,
  type JobSubmission,
  type Page,
} from '@bramble/sdk';

const bramble = new Bramble({ baseUrl: 'http://pi-head:8080', apiKey: 'brk_', timeoutMs: 5_000 });

export async function runPi(signal: AbortSignal): Promise<DownloadedFile[]> {
  const submission: JobSubmission = {
    mpi: { source: await fileFrom('pi.c') },
    inputs: [{ path: 'mesh.dat', file: await fileFrom('mesh.dat') }],
    nodes: 4,
    labels: { study: '42' },
  };
  const job: Job = await bramble.jobs.submit(submission, { signal, idempotencyKey: 'once' });
  for await (const { text } of job.logs({ follow: true, stream: 'stderr' })) console.log(text.trimEnd());
  for await (const event of job.events()) console.log(event.seq + 1, event.state);
  const done = await job.wait({ timeoutMs: 1_000 });
  return done.outputs.download('results', {
    onProgress: ({ bytes, totalBytes }) => console.log(bytes / totalBytes),
  });
}

export function explain(error: unknown): string {
  if (error instanceof InvalidRequestError) return error.faults.map(({ field }) => field).join();
  if (error instanceof JobFailedError) return `${error.state} ${String(error.exitCode)} ${error.lastLines}`;
  return String(error);
}

export async function look(): Promise<JobResource[]> {
  const page: Page<Job> = await bramble.jobs.list({ state: 'running' }).page();
  const states: JobState[] = [];
  for await (const job of bramble.jobs.list({ state: ['queued', 'running'] })) states.push(job.state);
  const { items } = await bramble.nodes.list();
  const cpus: number = items.reduce((sum, node) => sum + (node.slurm?.cpus ?? 0), 0);
  const bytes: Uint8Array = await page.items[0]!.file('pi.csv').bytes();
  console.log(cpus, bytes.byteLength, states);
  return page.items.map((job) => job.data);
}

// @ts-expect-error: a number of nodes is a number
void bramble.jobs.submit({ command: ['true'], nodes: 'four' });
// @ts-expect-error: there is no such state
const state: JobState = 'sleeping';
// @ts-expect-error: the key is not to be read
console.log(state, bramble.apiKey);
