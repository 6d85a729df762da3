import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller, demand } from '#core/access/caller';
import type { Permission } from '#core/access/permissions';
import type { SubjectKind } from '#core/operations/operation';
import { ManageOperations } from '#core/operations/manage-operations';
import {
  type OperationResource,
  operationOutputSchema,
  operationResourceSchema,
  toOperationResource,
} from '#core/operations/operation-resource';
import type { OperationStore } from '#core/operations/operation-store';
import { watchOperation } from '#core/operations/watch-operation';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { clientGone } from '../http/client-gone.ts';
import { readHeader } from '../http/header.ts';
import { pause } from '../http/pause.ts';
import { sendEvents, type ServerSentEvent } from '../http/server-sent-events.ts';
import { Answers } from '../openapi/answers.ts';
import { OPERATION_STORE } from '../ports.ts';

const operationIdSchema = z.string().regex(/^op_[0-9a-z]{26}$/, 'must be the id of an operation');
const seqSchema = z.coerce.number().int().min(0);
const outputQuerySchema = z.strictObject({
  after: seqSchema.default(0).describe('Only output behind this `seq`.'),
});
const outputListSchema = z
  .object({ items: z.array(operationOutputSchema) })
  .meta({ id: 'OperationOutputList' });
const MOST_PIECES = 1000;

/** What an operation is about says what it takes to look at it, and to cancel it. */
const NEEDED: Record<SubjectKind, { look: Permission; cancel: Permission }> = {
  node: { look: 'nodes:operate', cancel: 'nodes:operate' },
  service: { look: 'services:inspect', cancel: 'services:manage' },
};

@ApiTags('operations')
@Controller('v1/admin/operations')
@Requires(['nodes:operate', 'services:inspect'])
export class OperationsController {
  readonly #operations: ManageOperations;
  readonly #store: OperationStore;

  constructor(
    @Inject(ManageOperations) operations: ManageOperations,
    @Inject(OPERATION_STORE) store: OperationStore,
  ) {
    this.#operations = operations;
    this.#store = store;
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read how far an operation has come' })
  @Answers(200, operationResourceSchema, [404])
  get(
    @Param('id', { schema: operationIdSchema }) id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<OperationResource> {
    return this.#shown(id, caller);
  }

  @Get(':id/output')
  @ApiOperation({
    summary: 'Read or watch what the steps of an operation show',
    description:
      'With `Accept: text/event-stream` events `output` {seq, step, text} and `progress` (the operation, each time it has ' +
      'changed), those of the past first, and one event `end` {state} when it is over; the ids are `seq`. Otherwise the ' +
      'output so far, as JSON.',
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Go on behind this output.' })
  @Answers(200, outputListSchema, [400, 404])
  async output(
    @Param('id', { schema: operationIdSchema }) id: string,
    @Query({ schema: outputQuerySchema }) query: z.output<typeof outputQuerySchema>,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#shown(id, caller);
    const afterSeq = readHeader(request, 'Last-Event-ID', seqSchema) ?? query.after;
    if (request.accepts(['json', 'text/event-stream']) !== 'text/event-stream') {
      response.json({ items: await this.#store.outputAfter(id, afterSeq, MOST_PIECES) });
      return;
    }
    const signal = clientGone(response);
    await sendEvents(response, this.#events(id, afterSeq, signal), signal);
  }

  async *#events(id: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    for await (const change of watchOperation({ operations: this.#store, pause }, id, { afterSeq, signal })) {
      if (change.kind === 'progress')
        yield { event: 'progress', data: toOperationResource(change.operation) };
      else yield { id: String(change.output.seq), event: 'output', data: change.output };
    }
    yield { event: 'end', data: { state: (await this.#store.findOperation(id))?.state ?? null } };
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Requires(['nodes:operate', 'services:manage'])
  @ApiOperation({
    summary: 'Cancel an operation',
    description:
      'It ends before its next step; what was applied until then stays. One about a node needs the permission ' +
      '`nodes:operate`, one about a service `services:manage`.',
  })
  @Answers(202, operationResourceSchema, [404, 409])
  async cancel(
    @Param('id', { schema: operationIdSchema }) id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<OperationResource> {
    const { about } = await this.#operations.get(id);
    demand(caller, NEEDED[about].cancel);
    return this.#operations.cancel(id);
  }

  /** @throws Problem `not_found`, or `forbidden` */
  async #shown(id: string, caller: Caller): Promise<OperationResource> {
    const operation = await this.#operations.get(id);
    demand(caller, NEEDED[operation.about].look);
    return operation;
  }
}
