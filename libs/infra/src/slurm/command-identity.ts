import { userInfo } from 'node:os';
import type { UnixAccount } from '#core/jobs/slurm-controller';

/** Who a command runs as: the ids to switch to, or none where the worker is that account already. */
export interface Identity {
  env: Record<string, string>;
  ids: { uid?: number; gid?: number };
}

/**
 * @param uid who the worker is
 * @returns why the worker may not become the account, where it may not
 */
export function identify(account: UnixAccount | undefined, uid: number): Identity | { because: string } {
  if (account === undefined) {
    const { homedir, username } = ownAccount(uid);
    return { env: { HOME: homedir, USER: username, LOGNAME: username }, ids: {} };
  }
  const env = { HOME: account.home, USER: account.name, LOGNAME: account.name };
  if (account.uid === uid) return { env, ids: {} };
  if (uid !== 0) {
    return {
      because: `the worker runs as uid ${uid} and may not become ${account.name} (uid ${account.uid}); only root may`,
    };
  }
  return { env, ids: { uid: account.uid, gid: account.gid } };
}

/** A uid without an entry in passwd is usual in containers. */
function ownAccount(uid: number): { homedir: string; username: string } {
  try {
    return userInfo();
  } catch {
    return { homedir: '/', username: String(uid) };
  }
}
