import { type Answer, absent, present, unknown } from '#core/vocabulary/answer';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { describeFailure } from './command-failure.ts';
import type { CommandResult } from './command-transport.ts';

export function command(name: string): [string, ...string[]] {
  return ['getent', 'passwd', '--', name];
}

/** Exit code 2 says that no such account was found; asked for a number, getent looks up the uid instead. */
export function parse(result: CommandResult, name: string): Answer<UnixAccount> {
  if (result.kind === 'exited' && result.code === 2) return absent;
  if (result.kind !== 'exited' || result.code !== 0) return unknown(describeFailure('getent passwd', result));
  const [account, , uid, gid, , home] = result.stdout.trimEnd().split(':');
  if (
    uid === undefined ||
    gid === undefined ||
    home === undefined ||
    !/^\d{1,10}$/.test(uid) ||
    !/^\d{1,10}$/.test(gid)
  ) {
    return unknown(`getent passwd wrote what is no account: ${JSON.stringify(result.stdout.slice(0, 200))}`);
  }
  if (account !== name) return absent;
  return present({ name, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home });
}
