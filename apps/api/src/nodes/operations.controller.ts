import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type OperationResource, operationResourceSchema } from '#core/nodes/board-resource';
import { ManageBoards } from '#core/nodes/manage-boards';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

const operationIdSchema = z.string().regex(/^op_[0-9a-z]{26}$/, 'must be the id of an operation');

@ApiTags('boards')
@Controller('v1/admin/operations')
@Requires('nodes:manage')
export class OperationsController {
  readonly #boards: ManageBoards;

  constructor(@Inject(ManageBoards) boards: ManageBoards) {
    this.#boards = boards;
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read how far an operation has come' })
  @Answers(200, operationResourceSchema, [404])
  get(@Param('id', { schema: operationIdSchema }) id: string): Promise<OperationResource> {
    return this.#boards.operation(id);
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
