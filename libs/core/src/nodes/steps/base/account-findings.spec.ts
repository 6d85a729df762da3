import { describe, expect, it } from 'vitest';
import { StepProblem } from '../../board-step.ts';
import { accountFinding } from './account-findings.ts';

const ALICE = { name: 'alice', uid: 2001, gid: 2000 };
const BOB = { name: 'bob', uid: 2002, gid: 2000 };

const seenOf = (name: string, known: Record<string, string>): string =>
  ['byName', 'byUid', 'groupByName', 'groupByGid', 'home']
    .map((what) => `${name} ${what} ${known[what] ?? ''}\n`)
    .join('');

const THERE = {
  byName: 'alice:x:2001:2000:Alice Liddell:/home/alice:/bin/bash',
  byUid: 'alice:x:2001:2000:Alice Liddell:/home/alice:/bin/bash',
  groupByName: 'alice:x:2000:',
  groupByGid: 'alice:x:2000:',
};

describe('the accounts of a board', () => {
  it('are right with their numbers', () => {
    expect(accountFinding(seenOf('alice', THERE), [ALICE])).toEqual({
      kind: 'right',
      detail: 'alice (2001:2000)',
    });
    expect(accountFinding('', [])).toEqual({ kind: 'right', detail: 'none' });
  });

  it('are missing', () => {
    const seen =
      seenOf('alice', THERE) + seenOf('bob', { groupByName: 'alice:x:2000:', groupByGid: 'alice:x:2000:' });
    expect(accountFinding(seen, [ALICE, BOB])).toEqual({
      kind: 'differs',
      detail: 'without bob (2002:2000)',
    });
    expect(accountFinding(seenOf('alice', { ...THERE, home: 'missing' }), [ALICE])).toEqual({
      kind: 'differs',
      detail: 'no home directory of alice (2001:2000)',
    });
  });

  it.each([
    [{ ...THERE, byName: 'alice:x:1001:1001::/home/alice:/bin/sh' }, 'on the board it has 1001 and 1001'],
    [{ byUid: 'pi:x:2001:1000::/home/pi:/bin/bash' }, 'the uid 2001 is that of "pi"'],
    [{ groupByName: 'alice:x:1001:' }, 'the group "alice" has the gid 1001'],
    [{ groupByGid: 'lab:x:2000:' }, 'the gid 2000 is that of the group "lab"'],
  ])('whose name or number is taken are never changed: %j', (known, because) => {
    expect(() => accountFinding(seenOf('alice', known), [ALICE])).toThrow(StepProblem);
    expect(() => accountFinding(seenOf('alice', known), [ALICE])).toThrow(because);
  });

  it('may belong to a group that the board calls otherwise', () => {
    const known = { ...THERE, groupByName: '', groupByGid: 'users:x:2000:alice' };
    expect(accountFinding(seenOf('alice', known), [ALICE])).toMatchObject({ kind: 'right' });
  });
});
