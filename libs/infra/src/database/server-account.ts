import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whom PostgreSQL runs as. It refuses to run as root. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

const ACCOUNT_NAME = 'bramble-postgres';
const USERADD_ATTEMPTS = 20;
const USERADD_RETRY_MS = 100;

/**
 * The account for the server: undefined, for one's own, where this process is not root; else the owner of a data
 * directory that is there already; else the system account `bramble-postgres`, which is made where it is missing.
 */
export async function serverAccount(clusterDirectory: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(clusterDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await findAccount()) ?? (await makeAccount());
}

async function findAccount(): Promise<ServerAccount | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', ACCOUNT_NAME]), run('id', ['-g', ACCOUNT_NAME])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Another process may be making it too: useradd then fails on its lock, or because the name is taken. */
async function makeAccount(): Promise<ServerAccount> {
  let cause: unknown;
  for (let attempt = 0; attempt < USERADD_ATTEMPTS; attempt += 1) {
    try {
      await run('useradd', [
        '--system',
        '--user-group',
        '--no-create-home',
        '--home-dir=/nonexistent',
        '--shell=/usr/sbin/nologin',
        '--comment=Bramble PostgreSQL',
        ACCOUNT_NAME,
      ]);
    } catch (error) {
      cause = error;
    }
    const account = await findAccount();
    if (account !== undefined) return account;
    await sleep(USERADD_RETRY_MS);
  }
  throw new Error(
    `PostgreSQL does not run as root, and the system account "${ACCOUNT_NAME}" could not be made for it; make it with useradd.`,
    { cause },
  );
}

/** The first directory on the way to `path` that the account may not pass through, by its mode bits. */
export async function firstClosedDirectory(
  path: string,
  account: ServerAccount,
): Promise<string | undefined> {
  const above: string[] = [];
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    above.unshift(directory);
    if (directory === dirname(directory)) break;
  }
  for (const directory of above) {
    const { mode, uid, gid } = await stat(directory);
    const mayPass = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (mayPass === 0) return directory;
  }
  return undefined;
}
