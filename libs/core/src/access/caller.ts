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
  demandAny(caller, [permission]);
}

/** @throws Problem `forbidden` naming the permissions, where the caller has none of them */
export function demandAny(caller: Caller, permissions: readonly Permission[]): void {
  if (permissions.some((permission) => caller.permissions.has(permission))) return;
  const named = permissions.map((permission) => `"${permission}"`).join(' or ');
  throw new Problem(
    'forbidden',
    `This needs the permission ${named}; role "${caller.role}" with this key does not have it.`,
  );
}

/** Whether the caller may know of a resource that belongs to `ownerId`. */
export const maySee = (caller: Caller, ownerId: string): boolean =>
  caller.userId === ownerId || caller.permissions.has('jobs:read:all');
