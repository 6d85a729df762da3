import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller } from '#core/access/caller';
import { type JobEvent, jobEventSchema, toJobEventResource } from '#core/jobs/job-event';
import type { JobChanges, JobStore } from '#core/jobs/job-store';
import { findVisibleJob } from '#core/jobs/read-jobs';
import { watchJobEvents } from '#core/jobs/watch-job';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { clientGone } from '../http/client-gone.ts';
import { readHeader } from '../http/header.ts';
import { pause } from '../http/pause.ts';
import { sendEvents, type ServerSentEvent } from '../http/server-sent-events.ts';
import { Answers } from '../openapi/answers.ts';
import { JOB_CHANGES, JOB_STORE } from '../ports.ts';
import { jobIdSchema } from './jobs.controller.ts';

const seqSchema = z.coerce.number().int().min(0);
const eventQuerySchema = z.strictObject({
  after: seqSchema.default(0).describe('Only events behind this `seq`.'),
});
const eventListSchema = z.object({ items: z.array(jobEventSchema) }).meta({ id: 'JobEventList' });
const MOST_EVENTS = 1000;

@ApiTags('jobs')
@Controller('v1/jobs/:id/events')
export class JobEventsController {
  readonly #jobs: JobStore;
  readonly #changes: JobChanges;

  constructor(@Inject(JOB_STORE) jobs: JobStore, @Inject(JOB_CHANGES) changes: JobChanges) {
    this.#jobs = jobs;
    this.#changes = changes;
  }

  @Get()
  @Requires('jobs:read')
  @ApiOperation({
    summary: 'Read or watch what happens to a job',
    description:
      'With `Accept: text/event-stream` an event for each change, those of the past first, and one event `end` {state} ' +
      'when the job has ended; the ids are `seq`. Otherwise the events so far, as JSON.',
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Go on behind this event.' })
  @Answers(200, eventListSchema, [400, 404])
  async watch(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: jobIdSchema }) id: string,
    @Query({ schema: eventQuerySchema }) query: z.output<typeof eventQuerySchema>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await findVisibleJob(this.#jobs, caller, id);
    const afterSeq = readHeader(request, 'Last-Event-ID', seqSchema) ?? query.after;
    if (request.accepts(['json', 'text/event-stream']) !== 'text/event-stream') {
      const events = await this.#jobs.eventsAfter(id, afterSeq, MOST_EVENTS);
      response.json({ items: events.map(toJobEventResource) });
      return;
    }
    const signal = clientGone(response);
    const ports = { jobs: this.#jobs, changes: this.#changes, pause };
    await sendEvents(response, this.#events(id, watchJobEvents(ports, id, { afterSeq, signal })), signal);
  }

  async *#events(id: string, events: AsyncIterable<JobEvent>): AsyncGenerator<ServerSentEvent> {
    for await (const event of events)
      yield { id: String(event.seq), event: event.type, data: toJobEventResource(event) };
    const job = await this.#jobs.find(id);
    yield { event: 'end', data: { state: job?.state ?? null } };
  }
}
