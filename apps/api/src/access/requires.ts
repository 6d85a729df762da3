import { Reflector } from '@nestjs/core';
import type { Permission } from '#core/access/permissions';

/**
 * The permission that a route demands, or `public`. A route that states neither stops the start. Of several permissions
 * one is enough: the handler demands which.
 */
export const Requires = Reflector.createDecorator<Permission | readonly Permission[] | 'public'>();
