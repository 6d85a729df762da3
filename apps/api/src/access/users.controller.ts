import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ManageAccess } from '#core/access/manage-access';
import { type NewUser, newUserSchema, type UserResource, userResourceSchema } from '#core/access/user';
import { Answers } from '../openapi/answers.ts';
import { Requires } from './requires.ts';

const userId = z.string().regex(/^usr_[0-9a-z]{26}$/, 'must be the id of a user');
const userListSchema = z.object({ items: z.array(userResourceSchema) }).meta({ id: 'UserList' });

@ApiTags('access')
@Controller('v1/admin/users')
@Requires('access:manage')
export class UsersController {
  readonly #access: ManageAccess;

  constructor(@Inject(ManageAccess) access: ManageAccess) {
    this.#access = access;
  }

  @Post()
  @HttpCode(201)
  @ApiOperation({
    summary: 'Make a user',
    description: 'The Unix account is looked up on the cluster in a moment; see `account.status`.',
  })
  @Answers(201, userResourceSchema, [400, 409])
  create(@Body({ schema: newUserSchema }) body: NewUser): Promise<UserResource> {
    return this.#access.createUser(body);
  }

  @Get()
  @ApiOperation({ summary: 'List the users' })
  @Answers(200, userListSchema)
  async list(): Promise<z.output<typeof userListSchema>> {
    return { items: await this.#access.listUsers() };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a user' })
  @Answers(200, userResourceSchema, [404])
  get(@Param('id', { schema: userId }) id: string): Promise<UserResource> {
    return this.#access.getUser(id);
  }
}
