import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadServices } from '#core/services/read-services';
import { serviceNameSchema } from '#core/services/service-request';
import { containerLogSchema, serviceEventSchema } from '#core/services/service-resource';
import { Requires } from '../access/requires.ts';
import { queryFlag } from '../http/dry-run-query.ts';
import { Answers } from '../openapi/answers.ts';

const eventListSchema = z.object({ items: z.array(serviceEventSchema) }).meta({ id: 'ServiceEventList' });
const logsSchema = z.object({ items: z.array(containerLogSchema) }).meta({ id: 'ServiceLogs' });
const logsQuerySchema = z.strictObject({
  lines: z.coerce.number().int().min(1).max(2_000).default(100).describe('Of each container, at most.'),
  previous: queryFlag('What containers wrote before their last restart.'),
});

/** Answers what the cluster tells of a service at the moment. */
@ApiTags('services')
@Controller('v1/services/:name')
@Requires('services:inspect')
export class ServiceDiagnosticsController {
  readonly #services: ReadServices;

  constructor(@Inject(ReadServices) services: ReadServices) {
    this.#services = services;
  }

  @Get('events')
  @Requires('services:read')
  @ApiOperation({
    summary: "List Kubernetes' events of a service, newest first",
    description: 'Of its objects and of what they own. Kubernetes keeps events for an hour as a rule.',
  })
  @Answers(200, eventListSchema, [404, 503])
  async events(
    @Param('name', { schema: serviceNameSchema }) name: string,
  ): Promise<z.output<typeof eventListSchema>> {
    return { items: await this.#services.events(name) };
  }

  @Get('logs')
  @ApiOperation({ summary: 'Read what the containers of a service have written last' })
  @Answers(200, logsSchema, [400, 404, 503])
  async logs(
    @Param('name', { schema: serviceNameSchema }) name: string,
    @Query({ schema: logsQuerySchema }) query: z.output<typeof logsQuerySchema>,
  ): Promise<z.output<typeof logsSchema>> {
    return { items: await this.#services.logs(name, query) };
  }
}
