import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import {
  type OperationResource,
  operationOutputSchema,
  operationResourceSchema,
  toOperationResource,
} from '#core/nodes/board-resource';
import type { BoardStore } from '#core/nodes/board-store';
import { ManageBoards } from '#core/nodes/manage-boards';
import { watchOperation } from '#core/nodes/watch-operation';
import { Requires } from '../access/requires.ts';
import { clientGone } from '../http/client-gone.ts';
import { readHeader } from '../http/header.ts';
import { pause } from '../http/pause.ts';
import { sendEvents, type ServerSentEvent } from '../http/server-sent-events.ts';
import { Answers } from '../openapi/answers.ts';
import { BOARD_STORE } from '../ports.ts';

const operationIdSchema = z.string().regex(/^op_[0-9a-z]{26}$/, 'must be the id of an operation');
const seqSchema = z.coerce.number().int().min(0);
const outputQuerySchema = z.strictObject({
  after: seqSchema.default(0).describe('Only output behind this `seq`.'),
});
const outputListSchema = z
  .object({ items: z.array(operationOutputSchema) })
  .meta({ id: 'OperationOutputList' });
const MOST_PIECES = 1000;

@ApiTags('boards')
@Controller('v1/admin/operations')
@Requires('nodes:operate')
export class OperationsController {
  readonly #boards: ManageBoards;
  readonly #store: BoardStore;

  constructor(@Inject(ManageBoards) boards: ManageBoards, @Inject(BOARD_STORE) store: BoardStore) {
    this.#boards = boards;
    this.#store = store;
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read how far an operation has come' })
  @Answers(200, operationResourceSchema, [404])
  get(@Param('id', { schema: operationIdSchema }) id: string): Promise<OperationResource> {
    return this.#boards.operation(id);
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
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#boards.operation(id);
    const afterSeq = readHeader(request, 'Last-Event-ID', seqSchema) ?? query.after;
    if (request.accepts(['json', 'text/event-stream']) !== 'text/event-stream') {
      response.json({ items: await this.#store.outputAfter(id, afterSeq, MOST_PIECES) });
      return;
    }
    const signal = clientGone(response);
    await sendEvents(response, this.#events(id, afterSeq, signal), signal);
  }

  async *#events(id: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    for await (const change of watchOperation({ boards: this.#store, pause }, id, { afterSeq, signal })) {
      if (change.kind === 'progress')
        yield { event: 'progress', data: toOperationResource(change.operation) };
      else yield { id: String(change.output.seq), event: 'output', data: change.output };
    }
    yield { event: 'end', data: { state: (await this.#store.findOperation(id))?.state ?? null } };
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Cancel an operation',
    description: 'It ends before its next step; what was applied until then stays.',
  })
  @Answers(202, operationResourceSchema, [404, 409])
  cancel(@Param('id', { schema: operationIdSchema }) id: string): Promise<OperationResource> {
    return this.#boards.cancel(id);
  }
}
