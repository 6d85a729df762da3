import { beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryAccessStore } from '../../../../test/fakes/memory-access-store.ts';
import { ALICE, ScriptedSlurm } from '../../../../test/fakes/scripted-slurm.ts';
import { absent, present, unknown } from '../vocabulary/answer.ts';
import type { User } from './user.ts';
import { FIRST_USER_UID, VerifyAccounts } from './verify-accounts.ts';

const clock = new ManualClock();
let access: MemoryAccessStore;
let slurm: ScriptedSlurm;
let verify: VerifyAccounts;

beforeEach(() => {
  access = new MemoryAccessStore();
  slurm = new ScriptedSlurm();
  verify = new VerifyAccounts(access, slurm, clock);
});

async function newUser(n: number, account: string | null): Promise<string> {
  const user: User = {
    id: idOf('usr', n),
    name: `user${n}`,
    role: 'user',
    account,
    accountStatus: 'unverified',
    accountMessage: null,
    accountUid: null,
    createdAt: clock.now(),
  };
  await access.insertUser(user);
  return user.id;
}

describe('VerifyAccounts', () => {
  it('verifies an account that the cluster has', async () => {
    const id = await newUser(1, 'alice');
    await expect(verify.run()).resolves.toBe(1);
    await expect(access.findUser(id)).resolves.toMatchObject({
      accountStatus: 'verified',
      accountUid: ALICE.uid,
      accountMessage: null,
    });
  });

  it('says of an account that is not there that it is not there', async () => {
    const id = await newUser(1, 'nobody-there');
    await verify.run();
    const user = await access.findUser(id);
    expect(user).toMatchObject({ accountStatus: 'absent', accountUid: null });
    expect(user?.accountMessage).toContain('nobody-there');
  });

  it.each([
    [0, 'refused'],
    [FIRST_USER_UID - 1, 'refused'],
    [FIRST_USER_UID, 'verified'],
  ])('calls an account with uid %i %s', async (uid, accountStatus) => {
    slurm.accounts.set('alice', present({ ...ALICE, uid }));
    const id = await newUser(1, 'alice');
    await verify.run();
    await expect(access.findUser(id)).resolves.toMatchObject({ accountStatus, accountUid: uid });
  });

  it('leaves everything as it is while the cluster cannot be asked, and asks again', async () => {
    const id = await newUser(1, 'alice');
    slurm.accounts.set('alice', unknown('ssh timed out'));
    await expect(verify.run()).resolves.toBe(0);
    await expect(access.findUser(id)).resolves.toMatchObject({ accountStatus: 'unverified' });
    slurm.accounts.set('alice', present(ALICE));
    await expect(verify.run()).resolves.toBe(1);
  });

  it('counts those that were looked up before the cluster went away', async () => {
    await newUser(1, 'alice');
    await newUser(2, 'bob');
    slurm.accounts.set('bob', unknown('ssh timed out'));
    await expect(verify.run()).resolves.toBe(1);
  });

  it('looks at each account every ten minutes, and sees what has changed', async () => {
    const id = await newUser(1, 'alice');
    await newUser(2, null);
    await verify.run();
    slurm.accounts.set('alice', absent);
    clock.advance(10 * 60_000);
    await expect(verify.run()).resolves.toBe(0);
    clock.advance(1);
    await expect(verify.run()).resolves.toBe(1);
    await expect(access.findUser(id)).resolves.toMatchObject({ accountStatus: 'absent' });
  });
});
