import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  apiKeyResourceSchema,
  type CreatedApiKey,
  createdApiKeySchema,
  type NewApiKey,
  newApiKeySchema,
} from '#core/access/api-key';
import { ManageAccess } from '#core/access/manage-access';
import { Answers } from '../openapi/answers.ts';
import { Requires } from './requires.ts';

const keyId = z.string().regex(/^key_[0-9a-z]{26}$/, 'must be the id of an API key');
const keyListSchema = z.object({ items: z.array(apiKeyResourceSchema) }).meta({ id: 'ApiKeyList' });
const keyQuerySchema = z.strictObject({
  user: z.string().max(64).optional().describe('Only the keys of this user.'),
});

@ApiTags('access')
@Controller('v1/admin/keys')
@Requires('access:manage')
export class KeysController {
  readonly #access: ManageAccess;

  constructor(@Inject(ManageAccess) access: ManageAccess) {
    this.#access = access;
  }

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Make an API key', description: 'The answer holds the key itself, this once.' })
  @Answers(201, createdApiKeySchema, [400])
  create(@Body({ schema: newApiKeySchema }) body: NewApiKey): Promise<CreatedApiKey> {
    return this.#access.createKey(body);
  }

  @Get()
  @ApiOperation({ summary: 'List the API keys' })
  @Answers(200, keyListSchema)
  async list(
    @Query({ schema: keyQuerySchema }) query: z.output<typeof keyQuerySchema>,
  ): Promise<z.output<typeof keyListSchema>> {
    return { items: await this.#access.listKeys(query.user) };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  @Answers(204, undefined, [404])
  revoke(@Param('id', { schema: keyId }) id: string): Promise<void> {
    return this.#access.revokeKey(id);
  }
}
