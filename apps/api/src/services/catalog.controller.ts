import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type CatalogEntryResource, catalogEntrySchema } from '#core/services/catalog/catalog-resource';
import { ReadServices } from '#core/services/read-services';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

const catalogSchema = z.object({ items: z.array(catalogEntrySchema) }).meta({ id: 'Catalog' });
const entryNameSchema = z.string().min(1).max(100);

/** Answers which services can be deployed. */
@ApiTags('services')
@Controller('v1/services/catalog')
@Requires('services:read')
export class CatalogController {
  readonly #services: ReadServices;

  constructor(@Inject(ReadServices) services: ReadServices) {
    this.#services = services;
  }

  @Get()
  @ApiOperation({ summary: 'List the services that can be deployed' })
  @Answers(200, catalogSchema)
  async list(): Promise<z.output<typeof catalogSchema>> {
    return { items: await this.#services.catalog() };
  }

  @Get(':name')
  @ApiOperation({
    summary: 'Read what a service is, and what may be set',
    description: 'Also by the names of the software, and of what it took the place of, such as `grafana`.',
  })
  @Answers(200, catalogEntrySchema, [404])
  get(@Param('name', { schema: entryNameSchema }) name: string): Promise<CatalogEntryResource> {
    return this.#services.catalogEntry(name);
  }
}
