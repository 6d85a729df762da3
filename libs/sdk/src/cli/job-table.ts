import type { JobResource } from '../api-types.ts';
import { colourState } from './colour.ts';
import { localTime, span } from './measures.ts';
import { details, table } from './table.ts';

/** @param now milliseconds since the epoch */
export function jobTable(jobs: readonly JobResource[], now: number, colour: boolean): string {
  const text = table<JobResource>(
    [
      { title: 'ID', value: (job) => job.id },
      { title: 'NAME', value: (job) => job.name },
      { title: 'STATE', value: (job) => job.state },
      { title: 'TIME', value: (job) => elapsed(job, now), align: 'right' },
      { title: 'CREATED', value: (job) => localTime(job.createdAt) },
      { title: 'WHERE OR WHY', value: (job) => job.reason?.message ?? (job.slurm?.nodeList || null) },
    ],
    jobs,
  );
  if (!colour) return text;
  const [titles = '', ...lines] = text.trimEnd().split('\n');
  const coloured = lines.map((line, index) => {
    const job = jobs[index];
    return job === undefined ? line : colourState(line, job.state);
  });
  return `${[titles, ...coloured].join('\n')}\n`;
}

export function jobDetails(job: JobResource, now: number): string {
  return details([
    ['id', job.id],
    ['name', job.name],
    ['state', job.state],
    ['reason', job.reason === null ? null : `${job.reason.message} (${job.reason.code})`],
    ['exit code', job.exitCode],
    ['signal', job.signal],
    ['Unix account', job.account],
    ['Slurm job', job.slurm === null ? null : `${job.slurm.jobId} on ${job.slurm.cluster}`],
    ['nodes', job.slurm?.nodeList ?? null],
    ['created', localTime(job.createdAt)],
    ['submitted', localTime(job.submittedAt)],
    ['started', localTime(job.startedAt)],
    ['ended', localTime(job.endedAt)],
    ['time', elapsed(job, now)],
    ['cancel requested', localTime(job.cancelRequestedAt)],
    [
      'labels',
      Object.entries(job.labels)
        .map((label) => label.join('='))
        .join(' '),
    ],
    ['outputs', job.outputs?.map(({ path }) => path).join(' ') ?? null],
    ['Slurm asked', localTime(job.slurm?.observedAt ?? null)],
  ]);
}

function elapsed({ startedAt, endedAt, finished }: JobResource, now: number): string | null {
  if (startedAt === null || (finished && endedAt === null)) return null;
  return span((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}
