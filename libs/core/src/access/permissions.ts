import { z } from 'zod';

/** What a route may demand. `:all` extends a permission from one's own resources to everybody's. */
export const PERMISSIONS = [
  'jobs:read',
  'jobs:write',
  'jobs:read:all',
  'jobs:write:all',
  'artifacts:read',
  'artifacts:write',
  'nodes:read',
  'nodes:operate',
  'nodes:manage',
  'services:read',
  'services:inspect',
  'services:manage',
  'access:manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const permissionSchema = z.enum(PERMISSIONS);

export const ROLES = ['viewer', 'user', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
export const roleSchema = z
  .enum(ROLES)
  .describe(
    '`viewer` reads; `user` runs jobs and sees their own; `operator` sees all jobs and what services write, and drains ' +
      'and restarts nodes; `admin` manages boards, services and access too.',
  );

const VIEWER: Permission[] = ['jobs:read', 'artifacts:read', 'nodes:read', 'services:read'];
const USER: Permission[] = [...VIEWER, 'jobs:write', 'artifacts:write'];
const OPERATOR: Permission[] = [
  ...USER,
  'jobs:read:all',
  'jobs:write:all',
  'nodes:operate',
  'services:inspect',
];

const GRANTED: Record<Role, readonly Permission[]> = {
  viewer: VIEWER,
  user: USER,
  operator: OPERATOR,
  admin: PERMISSIONS,
};

/** What a role may do, cut down to the scopes of the key that was shown; a key without scopes has all of its role. */
export function permissionsOf(role: Role, scopes: readonly Permission[] | null): ReadonlySet<Permission> {
  return new Set(GRANTED[role].filter((permission) => scopes === null || scopes.includes(permission)));
}
