import { Body, Controller, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { type DiscoveryResource, discoveryResourceSchema } from '#core/nodes/discovery/discovery';
import {
  type DiscoveryRequest,
  discoveryRequestSchema,
  ManageDiscoveries,
} from '#core/nodes/discovery/manage-discoveries';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

const discoveryIdSchema = z.string().regex(/^dsc_[0-9a-z]{26}$/, 'must be the id of a discovery');

@ApiTags('boards')
@Controller('v1/admin/discoveries')
@Requires('nodes:manage')
export class DiscoveriesController {
  readonly #discoveries: ManageDiscoveries;

  constructor(@Inject(ManageDiscoveries) discoveries: ManageDiscoveries) {
    this.#discoveries = discoveries;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Look who is in the network of the boards',
    description:
      'A worker asks each address of the range on port 22, and signs in nowhere. It is kept for a week.',
  })
  @ApiBody({ schema: { $ref: '#/components/schemas/DiscoveryRequest' }, required: false })
  @Answers(202, discoveryResourceSchema, [400])
  async start(
    @Body({ schema: discoveryRequestSchema }) body: DiscoveryRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DiscoveryResource> {
    const discovery = await this.#discoveries.start(body);
    response.setHeader('Location', `/v1/admin/discoveries/${discovery.id}`);
    return discovery;
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a discovery' })
  @Answers(200, discoveryResourceSchema, [404])
  get(@Param('id', { schema: discoveryIdSchema }) id: string): Promise<DiscoveryResource> {
    return this.#discoveries.get(id);
  }
}
