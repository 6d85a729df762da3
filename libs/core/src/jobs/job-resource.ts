import { z } from 'zod';
import { type Job, outputFileSchema, reasonSchema } from './job.ts';
import { jobRequestSchema, type JobRequest } from './job-request.ts';
import { isFinal, jobStateSchema, STATES_IN_SLURM } from './job-state.ts';

const timestamp = z.iso.datetime();

/** A job as users see it. */
export const jobResourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    state: jobStateSchema,
    finished: z.boolean().describe('Whether the state is final.'),
    reason: reasonSchema.nullable().describe('Why the job waits, or why it ended as it did.'),
    owner: z.string().describe('Id of the user whose job it is.'),
    account: z.string().describe('Unix account that the job runs as.'),
    labels: z.record(z.string(), z.string()),
    slurm: z
      .object({
        cluster: z.string(),
        jobId: z.int().describe("Slurm's id; ids wrap, so this is no identity by itself."),
        nodeList: z.string().describe('Nodes of the allocation, as Slurm writes them; empty while it waits.'),
        observedAt: timestamp.nullable().describe('When Slurm was last asked, with an answer.'),
      })
      .nullable(),
    exitCode: z
      .int()
      .nullable()
      .describe('Exit code of the program; null before the end, or where a signal ended it.'),
    signal: z.int().nullable().describe('Signal that ended the program.'),
    lastLines: z.string().nullable().describe('The last lines of a job that did not complete.'),
    outputs: z.array(outputFileSchema).nullable().describe('What matched `outputs`; null before the end.'),
    outputsTruncated: z
      .boolean()
      .describe('Whether more files matched than `outputs` lists; all of them are under `files`.'),
    cancelRequestedAt: timestamp.nullable(),
    createdAt: timestamp,
    submittedAt: timestamp.nullable().describe('When Slurm took it.'),
    startedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
    version: z.int().describe('Grows with every change; also in the ETag.'),
    request: jobRequestSchema.describe('What was asked for. Inline contents of files are left out.'),
  })
  .meta({ id: 'Job' });

export type JobResource = z.output<typeof jobResourceSchema>;

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** @param observedAt when the tracker last had an answer from Slurm */
export function toJobResource(job: Job, observedAt: Date | null): JobResource {
  return {
    id: job.id,
    name: job.name,
    state: job.state,
    finished: isFinal(job.state),
    reason: job.reason,
    owner: job.ownerId,
    account: job.account,
    labels: job.request.labels,
    slurm:
      job.slurm === null
        ? null
        : {
            cluster: job.slurm.cluster,
            jobId: job.slurm.jobId,
            nodeList: job.slurm.nodeList,
            observedAt: iso(STATES_IN_SLURM.includes(job.state) ? observedAt : job.endedAt),
          },
    exitCode: job.exitCode,
    signal: job.signal,
    lastLines: job.lastLines,
    outputs: job.outputs,
    outputsTruncated: job.outputsTruncated,
    cancelRequestedAt: iso(job.cancelRequestedAt),
    createdAt: job.createdAt.toISOString(),
    submittedAt: iso(job.submittedAt),
    startedAt: iso(job.startedAt),
    endedAt: iso(job.endedAt),
    version: job.version,
    request: withoutInlineContents(job.request),
  };
}

/** Files of up to half a megabyte have no place in every answer; `GET …/files` has them. */
function withoutInlineContents(request: JobRequest): JobRequest {
  return {
    ...request,
    inputs: request.inputs.map((input) => (input.content === undefined ? input : { ...input, content: '' })),
    ...(request.mpi?.source?.content === undefined
      ? {}
      : { mpi: { ...request.mpi, source: { ...request.mpi.source, content: '' } } }),
  };
}
