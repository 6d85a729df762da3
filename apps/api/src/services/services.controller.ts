import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import type { Caller } from '#core/access/caller';
import { type OperationResource, operationResourceSchema } from '#core/operations/operation-resource';
import { ManageServices } from '#core/services/manage-services';
import { ReadServices } from '#core/services/read-services';
import {
  type InstallRequest,
  installRequestSchema,
  type RollbackRequest,
  rollbackRequestSchema,
  serviceNameSchema,
  type UninstallRequest,
  uninstallRequestSchema,
  type UpgradeRequest,
  upgradeRequestSchema,
} from '#core/services/service-request';
import { type ServiceResource, serviceRevisionSchema, serviceSchema } from '#core/services/service-resource';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { type DryRunQuery, dryRunQuerySchema } from '../http/dry-run-query.ts';
import { Answers } from '../openapi/answers.ts';
import { located } from '../operations/located.ts';
import { operationListSchema } from '../operations/operation-list.ts';

const serviceListSchema = z.object({ items: z.array(serviceSchema) }).meta({ id: 'ServiceList' });
const revisionListSchema = z
  .object({ items: z.array(serviceRevisionSchema) })
  .meta({ id: 'ServiceRevisionList' });

/** Services of the Kubernetes cluster: how they are, and what is done with them. */
@ApiTags('services')
@Controller('v1/services')
@Requires('services:manage')
export class ServicesController {
  readonly #manage: ManageServices;
  readonly #read: ReadServices;

  constructor(@Inject(ManageServices) manage: ManageServices, @Inject(ReadServices) read: ReadServices) {
    this.#manage = manage;
    this.#read = read;
  }

  @Get()
  @Requires('services:read')
  @ApiOperation({ summary: 'List the services that are installed, or of which something is' })
  @Answers(200, serviceListSchema)
  async list(@CurrentCaller() caller: Caller): Promise<z.output<typeof serviceListSchema>> {
    return { items: await this.#read.list({ showLines: maySeeLines(caller) }) };
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Install a service, or plan it',
    description:
      'The answer is the operation to be watched. What fails is rolled back, unless `keepFailed` is set. With `dryRun` ' +
      'nothing is changed, and the output of the operation tells what would become of each object.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/InstallRequest' } })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async install(
    @Body({ schema: installRequestSchema }) body: InstallRequest,
    @Query({ schema: dryRunQuerySchema }) { dryRun }: DryRunQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    this.#read.demandCluster();
    return located(response, await this.#manage.install(body, { dryRun }));
  }

  @Get(':name')
  @Requires('services:read')
  @ApiOperation({ summary: 'Read how a service is, and what it was asked to be' })
  @Answers(200, serviceSchema, [404])
  get(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @CurrentCaller() caller: Caller,
  ): Promise<ServiceResource> {
    return this.#read.get(name, { showLines: maySeeLines(caller) });
  }

  @Get(':name/history')
  @Requires('services:read')
  @ApiOperation({ summary: 'List the revisions of a service, newest first' })
  @Answers(200, revisionListSchema, [404])
  async history(
    @Param('name', { schema: serviceNameSchema }) name: string,
  ): Promise<z.output<typeof revisionListSchema>> {
    return { items: await this.#read.history(name) };
  }

  @Get(':name/operations')
  @Requires('services:inspect')
  @ApiOperation({ summary: 'List what was done with a service, newest first' })
  @Answers(200, operationListSchema, [404])
  async operations(
    @Param('name', { schema: serviceNameSchema }) name: string,
  ): Promise<z.output<typeof operationListSchema>> {
    return { items: await this.#manage.operationsOf(this.#read.nameOf(name)) };
  }

  @Post(':name/upgrade')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Bring a service to other settings or newer charts, or plan it',
    description: 'Without a body, to what the catalogue has now. With `dryRun` nothing is changed.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/UpgradeRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async upgrade(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Body({ schema: upgradeRequestSchema }) body: UpgradeRequest,
    @Query({ schema: dryRunQuerySchema }) { dryRun }: DryRunQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.upgrade(this.#changed(name), body, { dryRun }));
  }

  @Post(':name/rollback')
  @HttpCode(202)
  @ApiOperation({ summary: 'Bring a service back to an earlier revision' })
  @ApiBody({ schema: { $ref: '#/components/schemas/RollbackRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async rollback(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Body({ schema: rollbackRequestSchema }) body: RollbackRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.rollBack(this.#changed(name), body));
  }

  @Post(':name/uninstall')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Take a service out of the cluster',
    description: 'Volumes of stateful sets, and definitions of kinds, stay; the operation names them.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/UninstallRequest' }, required: false })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async uninstall(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Body({ schema: uninstallRequestSchema }) body: UninstallRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.uninstall(this.#changed(name), body));
  }

  @Post(':name/check')
  @HttpCode(202)
  @ApiOperation({ summary: 'Look whether a service is as it was applied, and change nothing' })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async check(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.begin(this.#changed(name), 'check'));
  }

  @Post(':name/recover')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Mend what was left half-way',
    description: 'A release is rolled back to what was there before, or uninstalled where there was nothing.',
  })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async recover(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.begin(this.#changed(name), 'recover'));
  }

  @Post(':name/mirror')
  @HttpCode(202)
  @ApiOperation({ summary: 'Copy the images that the cluster runs into the registry' })
  @Answers(202, operationResourceSchema, [400, 404, 409, 503])
  async mirror(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OperationResource> {
    return located(response, await this.#manage.begin(this.#changed(name), 'mirror'));
  }

  /** The name of a service that is to be changed. @throws Problem `kubernetes_unavailable` */
  #changed(nameOrAlias: string): string {
    this.#read.demandCluster();
    return this.#read.nameOf(nameOrAlias);
  }
}

const maySeeLines = ({ permissions }: Caller): boolean => permissions.has('services:inspect');
