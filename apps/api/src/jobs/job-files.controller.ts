import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller } from '#core/access/caller';
import { outputFileSchema } from '#core/jobs/job';
import type { JobStore } from '#core/jobs/job-store';
import { findVisibleJob } from '#core/jobs/read-jobs';
import { type RunFiles, runFileSchema } from '#core/jobs/run-files';
import { Problem } from '#core/vocabulary/problem';
import { relativePath, relativePathFault } from '#core/vocabulary/text';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { sendFile } from '../http/send-file.ts';
import { Answers } from '../openapi/answers.ts';
import { JOB_STORE, RUN_FILES } from '../ports.ts';
import { jobIdSchema } from './jobs.controller.ts';

const MOST_FILES = 10_000;

const fileQuerySchema = z.strictObject({
  path: relativePath.optional().describe('The directory to list; the run directory itself where left out.'),
  recursive: z.stringbool().default(false).describe('All directories below it too.'),
});
const fileListSchema = z
  .object({
    items: z.array(runFileSchema),
    truncated: z.boolean().describe(`Whether there are more than the ${MOST_FILES} that are listed.`),
  })
  .meta({ id: 'RunFileList' });
const outputListSchema = z.object({ items: z.array(outputFileSchema) }).meta({ id: 'OutputFileList' });

@ApiTags('jobs')
@Controller('v1/jobs/:id')
export class JobFilesController {
  readonly #jobs: JobStore;
  readonly #files: RunFiles;

  constructor(@Inject(JOB_STORE) jobs: JobStore, @Inject(RUN_FILES) files: RunFiles) {
    this.#jobs = jobs;
    this.#files = files;
  }

  @Get('files')
  @Requires('jobs:read')
  @ApiOperation({ summary: 'List the files of the run directory' })
  @Answers(200, fileListSchema, [400, 404])
  async list(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Query({ schema: fileQuerySchema }) query: z.output<typeof fileQuerySchema>,
  ): Promise<z.output<typeof fileListSchema>> {
    await findVisibleJob(this.#jobs, caller, id);
    const { files, truncated } = await this.#files.list(id, query.path ?? '', {
      recursive: query.recursive,
      limit: MOST_FILES,
    });
    return { items: files, truncated };
  }

  @Get('outputs')
  @Requires('jobs:read')
  @ApiOperation({
    summary: 'List the outputs with their digests',
    description: 'Empty until the job has ended.',
  })
  @Answers(200, outputListSchema, [404])
  async outputs(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
  ): Promise<z.output<typeof outputListSchema>> {
    const job = await findVisibleJob(this.#jobs, caller, id);
    return { items: job.outputs ?? [] };
  }

  @Get('files/*path')
  @Requires('jobs:read')
  @ApiOperation({ summary: 'Download a file of the run directory, whole or a range' })
  @ApiParam({ name: 'path', type: 'string', description: 'Relative to the run directory; may hold slashes.' })
  @ApiHeader({ name: 'Range', required: false, description: '`bytes=0-1023`' })
  @ApiProduces('application/octet-stream')
  @ApiResponse({ status: 206, description: 'The range that was asked for.' })
  @Answers(200, z.string().meta({ format: 'binary' }), [400, 404, 409, 416])
  async download(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Param('path') segments: string | string[],
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const job = await findVisibleJob(this.#jobs, caller, id);
    const path = typeof segments === 'string' ? segments : segments.join('/');
    const fault = relativePathFault(path);
    if (fault !== undefined) {
      throw new Problem('invalid_request', 'The path is not right.', {
        faults: [{ field: 'path', message: fault }],
      });
    }
    const sha256 = job.outputs?.find((output) => output.path === path)?.sha256;
    const file = await this.#files.open(id, path);
    await sendFile(request, response, file, {
      name: path.split('/').at(-1) ?? path,
      ...(sha256 === undefined ? {} : { etag: `"${sha256}"` }),
    });
  }
}
