import { describe, expect, it } from 'vitest';
import { caller } from '../../../../test/fakes/callers.ts';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { demand, demandAny, maySee } from './caller.ts';
import { type Permission, PERMISSIONS, permissionsOf, type Role, ROLES } from './permissions.ts';
import { Problem } from '../vocabulary/problem.ts';

/** Who may what: viewer, user, operator, admin. */
const TABLE: Record<Permission, [viewer: boolean, user: boolean, operator: boolean, admin: boolean]> = {
  'jobs:read': [true, true, true, true],
  'jobs:write': [false, true, true, true],
  'jobs:read:all': [false, false, true, true],
  'jobs:write:all': [false, false, true, true],
  'artifacts:read': [true, true, true, true],
  'artifacts:write': [false, true, true, true],
  'nodes:read': [true, true, true, true],
  'nodes:operate': [false, false, true, true],
  'nodes:manage': [false, false, false, true],
  'services:read': [true, true, true, true],
  'services:inspect': [false, false, true, true],
  'services:manage': [false, false, false, true],
  'access:manage': [false, false, false, true],
};

const CASES = ROLES.flatMap((role, column) =>
  PERMISSIONS.map((permission): [Role, Permission, boolean] => [
    role,
    permission,
    TABLE[permission][column] ?? false,
  ]),
);

describe('permissionsOf', () => {
  it.each(CASES)('answers whether the role %s has %s: %s', (role, permission, has) => {
    expect(permissionsOf(role, null).has(permission)).toBe(has);
  });

  it.each(CASES)(
    'cuts the role %s down to a key for %s, and never beyond the role',
    (role, permission, has) => {
      expect([...permissionsOf(role, [permission])]).toEqual(has ? [permission] : []);
    },
  );

  it('leaves nothing to a key without any scope', () => {
    expect(permissionsOf('admin', []).size).toBe(0);
  });
});

describe('demand', () => {
  it.each(CASES)('answers for the role %s and %s', (role, permission, has) => {
    const demanding = () => demand(caller(role), permission);
    if (has) expect(demanding).not.toThrow();
    else
      expect(demanding).toThrow(
        expect.objectContaining({
          code: 'forbidden',
          message: expect.stringContaining(permission) as string,
        }),
      );
  });

  it('throws what a caller may be told', () => {
    expect(() => demand(caller('viewer'), 'access:manage')).toThrow(Problem);
  });
});

describe('demandAny', () => {
  it('is content with one of the permissions, and names all where there is none', () => {
    expect(() => demandAny(caller('viewer'), ['nodes:operate', 'services:read'])).not.toThrow();
    expect(() => demandAny(caller('viewer'), ['nodes:operate', 'services:inspect'])).toThrow(
      expect.objectContaining({
        code: 'forbidden',
        message: expect.stringContaining('"nodes:operate" or "services:inspect"') as string,
      }),
    );
  });
});

describe('maySee', () => {
  it.each<[Role, boolean]>([
    ['viewer', false],
    ['user', false],
    ['operator', true],
    ['admin', true],
  ])("answers whether the role %s sees what is somebody else's: %s", (role, sees) => {
    expect(maySee(caller(role, idOf('usr', 1)), idOf('usr', 2))).toBe(sees);
    expect(maySee(caller(role, idOf('usr', 1)), idOf('usr', 1))).toBe(true);
  });

  it('does not see with a key that lacks the scope', () => {
    const scoped = { ...caller('admin'), permissions: permissionsOf('admin', ['jobs:read']) };
    expect(maySee(scoped, idOf('usr', 2))).toBe(false);
  });
});
