import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { type BoardResource, boardResourceSchema } from '#core/nodes/board-resource';
import {
  type ApplyRequest,
  applyRequestSchema,
  boardNameSchema,
  type EnrolmentRequest,
  enrolmentRequestSchema,
  type OperationRequest,
  operationRequestSchema,
} from '#core/nodes/enrolment-request';
import { ManageBoards } from '#core/nodes/manage-boards';
import { type OperationResource, operationResourceSchema } from '#core/operations/operation-resource';
import { Requires } from '../access/requires.ts';
import { type DryRunQuery, dryRunQuerySchema } from '../http/dry-run-query.ts';
import { Answers } from '../openapi/answers.ts';
import { located } from '../operations/located.ts';
import { operationListSchema } from '../operations/operation-list.ts';

const boardListSchema = z.object({ items: z.array(boardResourceSchema) }).meta({ id: 'BoardList' });

@ApiTags('boards')
@Controller('v1/admin/nodes')
@Requires('nodes:manage')
export class BoardsController {
  readonly #boards: ManageBoards;

  constructor(@Inject(ManageBoards) boards: ManageBoards) {
    this.#boards = boards;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Enrol a board, or plan it',
    description:
      'Signs in once with what is given, installs a key of its own, forgets the password, and makes the board what it ' +
      'is to be, step by step. The answer is the operation to be watched. With `dryRun` it only signs in and looks: ' +
      'nothing is changed there, nothing is enrolled, and the steps tell what would be done.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/EnrolmentRequest' } })
  @Answers(202, operationResourceSchema, [400, 409])
  async enrol(
    @Body({ schema: enrolmentRequestSchema }) body: EnrolmentRequest,
    @Query({ schema: dryRunQuerySchema }) { dryRun }: DryRunQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.enrol(body, { dryRun }));
  }

  @Get()
  @ApiOperation({ summary: 'List the boards that are enrolled' })
  @Answers(200, boardListSchema)
  async list(): Promise<z.output<typeof boardListSchema>> {
    return { items: await this.#boards.list() };
  }

  @Get(':name')
  @ApiOperation({ summary: 'Read a board' })
  @Answers(200, boardResourceSchema, [404])
  get(@Param('name', { schema: boardNameSchema }) name: string): Promise<BoardResource> {
    return this.#boards.board(name);
  }

  @Get(':name/operations')
  @Requires('nodes:operate')
  @ApiOperation({ summary: 'List what was done with a board, newest first' })
  @Answers(200, operationListSchema, [404])
  async operations(
    @Param('name', { schema: boardNameSchema }) name: string,
  ): Promise<z.output<typeof operationListSchema>> {
    return { items: await this.#boards.operationsOf(name) };
  }

  @Post(':name/check')
  @HttpCode(202)
  @Requires('nodes:manage')
  @ApiOperation({
    summary: 'Look whether a board is as it is to be, and change nothing',
  })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async check(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'check'));
  }

  @Post(':name/drain')
  @HttpCode(202)
  @Requires('nodes:operate')
  @ApiOperation({
    summary: 'Let no more jobs start on a node',
    description: 'Also for nodes of Slurm that are no boards. Jobs that run there go on.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/OperationRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async drain(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: operationRequestSchema }) body: OperationRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'drain', body));
  }

  @Post(':name/resume')
  @HttpCode(202)
  @Requires('nodes:operate')
  @ApiOperation({
    summary: 'Put a node into service again',
    description: 'Also for nodes of Slurm that are no boards.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/OperationRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async resume(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: operationRequestSchema }) body: OperationRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'resume', body));
  }

  @Post(':name/reboot')
  @HttpCode(202)
  @Requires('nodes:operate')
  @ApiOperation({
    summary: 'Restart a board',
    description:
      'Drains it, waits for its jobs unless it is forced, restarts it, and puts it into service again.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/OperationRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async reboot(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: operationRequestSchema }) body: OperationRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'reboot', body));
  }

  @Post(':name/upgrade')
  @HttpCode(202)
  @Requires('nodes:manage')
  @ApiOperation({
    summary: 'Upgrade the packages of a board',
    description:
      'Drains it, waits for its jobs unless it is forced, upgrades, restarts it where that is needed, and puts it into service again.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/OperationRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async upgrade(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: operationRequestSchema }) body: OperationRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'upgrade', body));
  }

  @Post(':name/decommission')
  @HttpCode(202)
  @Requires('nodes:manage')
  @ApiOperation({
    summary: 'Take a board out of the cluster',
    description:
      'Drains it, waits for its jobs unless it is forced, takes it out of Slurm, undoes what joined it to the cluster, removes the key, and forgets it. Forced, it does without a board that cannot be reached.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/OperationRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409])
  async decommission(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: operationRequestSchema }) body: OperationRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.begin(name, 'decommission', body));
  }

  @Post(':name/apply')
  @HttpCode(202)
  @ApiOperation({ summary: 'Enrol a board again: apply what differs' })
  @ApiBody({ schema: { $ref: '#/components/schemas/ApplyRequest' }, required: false })
  @Answers(202, operationResourceSchema, [404, 409])
  async apply(
    @Param('name', { schema: boardNameSchema }) name: string,
    @Body({ schema: applyRequestSchema }) body: ApplyRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#boards.apply(name, body));
  }

  @Delete(':name')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Forget a board',
    description: 'Nothing is sent to it; its name and address are free again.',
  })
  @Answers(204, undefined, [404, 409])
  forget(@Param('name', { schema: boardNameSchema }) name: string): Promise<void> {
    return this.#boards.forget(name);
  }
}
