import { expect, it } from 'vitest';
import { identify } from './command-identity.ts';

const alice = { name: 'alice', uid: 1001, gid: 1002, home: '/home/alice' };
const env = { HOME: '/home/alice', USER: 'alice', LOGNAME: 'alice' };

it('lets root become an account', () => {
  expect(identify(alice, 0)).toEqual({ env, ids: { uid: 1001, gid: 1002 } });
});

it('lets an account run its own commands', () => {
  expect(identify(alice, 1001)).toEqual({ env, ids: {} });
});

it('says why anybody else may not', () => {
  expect(identify(alice, 1003)).toEqual({
    because: 'the worker runs as uid 1003 and may not become alice (uid 1001); only root may',
  });
});

it('stays who it is where no account is asked for', () => {
  expect(identify(undefined, 1003)).toMatchObject({ ids: {} });
});
