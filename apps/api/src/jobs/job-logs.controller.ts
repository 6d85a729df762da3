import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { TextDecoder } from 'node:util';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller } from '#core/access/caller';
import { followLog, type LogPiece, tailOffset, wholeCharacters } from '#core/jobs/follow-log';
import type { JobStore } from '#core/jobs/job-store';
import { findVisibleJob } from '#core/jobs/read-jobs';
import type { RunFiles } from '#core/jobs/run-files';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { clientGone } from '../http/client-gone.ts';
import { readHeader } from '../http/header.ts';
import { pause } from '../http/pause.ts';
import { sendEvents, type ServerSentEvent, write } from '../http/server-sent-events.ts';
import { Answers } from '../openapi/answers.ts';
import { JOB_STORE, RUN_FILES } from '../ports.ts';
import { jobIdSchema } from './jobs.controller.ts';

const offsetSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const logQuerySchema = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).default('stdout'),
  follow: z.stringbool().default(false).describe('Go on until the job has ended.'),
  offset: offsetSchema.optional().describe('Begin this many bytes into the log.'),
  tail: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Begin at the last lines, this many.'),
});
type LogQuery = z.output<typeof logQuerySchema>;

@ApiTags('jobs')
@Controller('v1/jobs/:id/logs')
export class JobLogsController {
  readonly #jobs: JobStore;
  readonly #files: RunFiles;

  constructor(@Inject(JOB_STORE) jobs: JobStore, @Inject(RUN_FILES) files: RunFiles) {
    this.#jobs = jobs;
    this.#files = files;
  }

  @Get()
  @Requires('jobs:read')
  @ApiOperation({
    summary: 'Read or follow a log',
    description:
      'Plain text, or with `Accept: text/event-stream` events `log` {stream, offset, text} whose ids are byte offsets, ' +
      'and one event `end` {state}. A stream that broke goes on where `Last-Event-ID` says.',
  })
  @ApiProduces('text/plain', 'text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Go on behind this event.' })
  @Answers(200, z.string(), [400, 404])
  async read(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Query({ schema: logQuerySchema }) query: LogQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await findVisibleJob(this.#jobs, caller, id);
    const signal = clientGone(response);
    const offset =
      readHeader(request, 'Last-Event-ID', offsetSchema) ?? query.offset ?? (await this.#tail(id, query));
    const pieces = followLog({ jobs: this.#jobs, files: this.#files, pause }, id, {
      ...query,
      offset,
      signal,
    });
    if (request.accepts(['text/plain', 'text/event-stream']) === 'text/event-stream') {
      await sendEvents(response, this.#events(id, query, pieces), signal);
      return;
    }
    response.status(200).type('text/plain; charset=utf-8').setHeader('X-Accel-Buffering', 'no');
    response.flushHeaders();
    for await (const { bytes } of pieces) await write(response, bytes, signal);
    response.end();
  }

  #tail(id: string, { stream, tail }: LogQuery): Promise<number> | number {
    return tail === undefined ? 0 : tailOffset(this.#files, id, stream, tail);
  }

  async *#events(
    id: string,
    { stream }: LogQuery,
    pieces: AsyncIterable<LogPiece>,
  ): AsyncGenerator<ServerSentEvent> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let rest: LogPiece | undefined;
    for await (const piece of pieces) {
      const { offset, bytes } =
        rest === undefined ? piece : { offset: rest.offset, bytes: Buffer.concat([rest.bytes, piece.bytes]) };
      const whole = wholeCharacters(bytes);
      rest = whole < bytes.length ? { offset: offset + whole, bytes: bytes.subarray(whole) } : undefined;
      if (whole > 0) yield logEvent(stream, offset, bytes.subarray(0, whole), decoder);
    }
    if (rest !== undefined) yield logEvent(stream, rest.offset, rest.bytes, decoder);
    const job = await this.#jobs.find(id);
    yield { event: 'end', data: { state: job?.state ?? null } };
  }
}

function logEvent(
  stream: LogQuery['stream'],
  offset: number,
  bytes: Uint8Array,
  decoder: TextDecoder,
): ServerSentEvent {
  return {
    id: String(offset + bytes.length),
    event: 'log',
    data: { stream, offset, text: decoder.decode(bytes) },
  };
}
