import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller } from '#core/access/caller';
import type { ClusterObservations } from '#core/cluster/cluster';
import type { Job } from '#core/jobs/job';
import { type JobRequest, jobRequestSchema } from '#core/jobs/job-request';
import { type JobResource, jobResourceSchema, toJobResource } from '#core/jobs/job-resource';
import { jobStateSchema } from '#core/jobs/job-state';
import type { JobChanges, JobStore } from '#core/jobs/job-store';
import { withSbatchDirectives } from '#core/jobs/read-job-request';
import { findVisibleJob } from '#core/jobs/read-jobs';
import { RequestCancel } from '#core/jobs/request-cancel';
import { SubmitJob } from '#core/jobs/submit-job';
import { waitForJob } from '#core/jobs/watch-job';
import { durationSchema, parseDurationSeconds } from '#core/vocabulary/duration';
import { pageQuery } from '#core/vocabulary/page';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { clientGone } from '../http/client-gone.ts';
import { readHeader } from '../http/header.ts';
import { pause } from '../http/pause.ts';
import { Answers } from '../openapi/answers.ts';
import { CLUSTER_OBSERVATIONS, JOB_CHANGES, JOB_STORE } from '../ports.ts';
import { JOB_EXAMPLES } from './job-examples.ts';

export const jobIdSchema = z.string().regex(/^job_[0-9a-z]{26}$/, 'must be the id of a job');

const jobListSchema = z
  .object({
    items: z.array(jobResourceSchema),
    next: z.string().nullable().describe('Cursor of the next page.'),
  })
  .meta({ id: 'JobList' });

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item).max(64).optional(),
  );

const jobListQuerySchema = z.strictObject({
  ...pageQuery,
  state: oneOrMore(jobStateSchema).describe('Only jobs in one of these states; may be repeated.'),
  name: z.string().max(128).optional().describe('Only jobs of this name.'),
  owner: z
    .string()
    .max(64)
    .optional()
    .describe("Only jobs of this user's id. Who may not see others' jobs finds none."),
  label: oneOrMore(z.string().regex(/^[^=]{1,63}=.{0,255}$/s, 'must be "key=value"')).describe(
    'Only jobs with this label, as `key=value`; may be repeated.',
  ),
  createdAfter: z.iso.datetime().optional(),
  createdBefore: z.iso.datetime().optional(),
});

/** Proxies commonly give up after a minute. */
const LONGEST_WAIT_SECONDS = 60;

const jobQuerySchema = z.strictObject({
  wait: durationSchema
    .refine(
      (text) => (parseDurationSeconds(text) ?? 0) <= LONGEST_WAIT_SECONDS,
      `must be at most ${LONGEST_WAIT_SECONDS}s`,
    )
    .optional()
    .describe('Hold the answer until the job has come as far as `until` says, for at most this long (60s).'),
  until: z.enum(['running', 'finished']).default('finished'),
});

const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

@ApiTags('jobs')
@Controller('v1/jobs')
export class JobsController {
  readonly #submit: SubmitJob;
  readonly #requestCancel: RequestCancel;
  readonly #jobs: JobStore;
  readonly #changes: JobChanges;
  readonly #observations: ClusterObservations;

  constructor(
    @Inject(SubmitJob) submit: SubmitJob,
    @Inject(RequestCancel) requestCancel: RequestCancel,
    @Inject(JOB_STORE) jobs: JobStore,
    @Inject(JOB_CHANGES) changes: JobChanges,
    @Inject(CLUSTER_OBSERVATIONS) observations: ClusterObservations,
  ) {
    this.#submit = submit;
    this.#requestCancel = requestCancel;
    this.#jobs = jobs;
    this.#changes = changes;
    this.#observations = observations;
  }

  @Post()
  @HttpCode(202)
  @Requires('jobs:write')
  @ApiOperation({
    summary: 'Submit a job',
    description:
      'A batch script, a command, or an MPI program whose source is compiled on the cluster. With an `Idempotency-Key` ' +
      'the same request may be sent again at any time: it gives the same job, for ever.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Any text of up to 255 characters, unique to this job.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/JobRequest' }, examples: JOB_EXAMPLES })
  @Answers(202, jobResourceSchema, [400, 409, 413, 422])
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: jobRequestSchema }) body: JobRequest,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobResource> {
    const idempotencyKey = readHeader(request, 'Idempotency-Key', idempotencyKeySchema);
    const given = new Set(Object.keys(request.body as object));
    const { job } = await this.#submit.run(caller, withSbatchDirectives(body, given), idempotencyKey ?? null);
    response.setHeader('Location', `/v1/jobs/${job.id}`);
    return this.#resource(job, response);
  }

  @Get()
  @Requires('jobs:read')
  @ApiOperation({
    summary: 'List jobs, newest first',
    description: "One's own; all jobs for operators and admins.",
  })
  @Answers(200, jobListSchema, [400])
  async list(
    @CurrentCaller() caller: Caller,
    @Query({ schema: jobListQuerySchema }) query: z.output<typeof jobListQuerySchema>,
  ): Promise<z.output<typeof jobListSchema>> {
    const ownerId = caller.permissions.has('jobs:read:all') ? query.owner : caller.userId;
    if (query.owner !== undefined && ownerId !== query.owner) return { items: [], next: null };
    const page = await this.#jobs.list(
      {
        ...(ownerId === undefined ? {} : { ownerId }),
        ...(query.state === undefined ? {} : { states: query.state }),
        ...(query.name === undefined ? {} : { name: query.name }),
        ...(query.label === undefined ? {} : { labels: Object.fromEntries(query.label.map(splitLabel)) }),
        ...(query.createdAfter === undefined ? {} : { createdAfter: new Date(query.createdAfter) }),
        ...(query.createdBefore === undefined ? {} : { createdBefore: new Date(query.createdBefore) }),
      },
      query,
    );
    const observedAt = await this.#observations.trackedAt();
    return { items: page.items.map((job) => toJobResource(job, observedAt)), next: page.next };
  }

  @Get(':id')
  @Requires('jobs:read')
  @ApiOperation({ summary: 'Read a job, or wait for it' })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'The ETag of an earlier answer: 304 where nothing has changed.',
  })
  @ApiResponse({ status: 304, description: 'Nothing has changed since the ETag that was sent.' })
  @Answers(200, jobResourceSchema, [400, 404])
  async get(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Query({ schema: jobQuerySchema }) query: z.output<typeof jobQuerySchema>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobResource> {
    let job = await findVisibleJob(this.#jobs, caller, id);
    if (query.wait !== undefined) {
      job = await waitForJob({ jobs: this.#jobs, changes: this.#changes, pause }, job, {
        until: query.until,
        timeoutMs: (parseDurationSeconds(query.wait) ?? 0) * 1000,
        now: Date.now,
        signal: clientGone(response),
      });
    }
    return this.#resource(job, response);
  }

  @Get(':id/script')
  @Requires('jobs:read')
  @ApiOperation({ summary: 'Read what is handed to sbatch, to the letter' })
  @ApiProduces('text/plain')
  @Answers(200, z.string(), [404])
  async script(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const job = await findVisibleJob(this.#jobs, caller, id);
    response.type('text/plain; charset=utf-8');
    return job.script;
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Requires('jobs:write')
  @ApiOperation({
    summary: 'Cancel a job',
    description: 'Asking twice is asking once. The job ends when Slurm has ended it.',
  })
  @Answers(202, jobResourceSchema, [404, 409])
  async cancel(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobResource> {
    return this.#resource(await this.#requestCancel.run(caller, id), response);
  }

  async #resource(job: Job, response: Response): Promise<JobResource> {
    response.setHeader('ETag', `W/"${job.version}"`);
    return toJobResource(job, await this.#observations.trackedAt());
  }
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}
