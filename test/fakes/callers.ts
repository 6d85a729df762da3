import type { Caller } from '#core/access/caller';
import { permissionsOf, type Role } from '#core/access/permissions';
import { idOf } from './counting-ids.ts';

export const caller = (role: Role = 'user', userId = idOf('usr', 1)): Caller => ({
  userId,
  userName: 'alice',
  role,
  keyId: idOf('key', 1),
  permissions: permissionsOf(role, null),
});
