import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { nodeEventSchema } from '#core/nodes/inventory/node-event';
import {
  type NodeList,
  nodeListSchema,
  type ObservedNode,
  observedNodeSchema,
} from '#core/nodes/inventory/node-resource';
import { ReadNodes } from '#core/nodes/inventory/read-nodes';
import { Requires } from '../access/requires.ts';
import { Answers } from '../openapi/answers.ts';

const nodeNameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, 'must be the name of a node');
const eventQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('Only events behind this `seq`.'),
});
const eventListSchema = z.object({ items: z.array(nodeEventSchema) }).meta({ id: 'NodeEventList' });

/** Answers what Slurm last said of its nodes, and what Bramble knows of its boards. */
@ApiTags('cluster')
@Controller('v1/nodes')
@Requires('nodes:read')
export class NodesController {
  readonly #nodes: ReadNodes;

  constructor(@Inject(ReadNodes) nodes: ReadNodes) {
    this.#nodes = nodes;
  }

  @Get()
  @ApiOperation({
    summary: 'List the nodes',
    description: 'Each machine once: nodes of Slurm, boards that are enrolled, and what is both.',
  })
  @Answers(200, nodeListSchema)
  list(): Promise<NodeList> {
    return this.#nodes.list();
  }

  @Get(':name')
  @ApiOperation({ summary: 'Read a node' })
  @Answers(200, observedNodeSchema, [404])
  get(@Param('name', { schema: nodeNameSchema }) name: string): Promise<ObservedNode> {
    return this.#nodes.find(name);
  }

  @Get(':name/events')
  @ApiOperation({
    summary: 'Read what happened to a node, newest last',
    description: 'Also to one that is gone. About 500 events of a node are kept.',
  })
  @Answers(200, eventListSchema, [400, 404])
  async events(
    @Param('name', { schema: nodeNameSchema }) name: string,
    @Query({ schema: eventQuerySchema }) { after }: z.output<typeof eventQuerySchema>,
  ): Promise<z.output<typeof eventListSchema>> {
    return { items: await this.#nodes.events(name, after) };
  }
}
