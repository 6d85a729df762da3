import { Problem } from '../vocabulary/problem.ts';
import type { Permission, Role } from './permissions.ts';

/** Who is calling, after the key was checked. */
export interface Caller {
  userId: string;
  userName: string;
  role: Role;
  keyId: string;
  permissions: ReadonlySet<Permission>;
}

/** @throws Problem `forbidden` naming the permission that is missing */
export function demand(caller: Caller, permission: Permission): void {
  if (caller.permissions.has(permission)) return;
  throw new Problem(
    'forbidden',
    `This needs the permission "${permission}"; role "${caller.role}" with this key does not have it.`,
  );
}

/** Whether the caller may know of a resource that belongs to `ownerId`. */
export const maySee = (caller: Caller, ownerId: string): boolean =>
  caller.userId === ownerId || caller.permissions.has('jobs:read:all');
