import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { account } from './accounts.ts';
import type { LabPaths } from './lab-directory.ts';
import { isListening } from './listening.ts';
import { daemonPid, startDaemon, waitUntilReady } from './processes.ts';

export const MUNGE = 'munged';

/** Starts the lab's own munged, which vouches for who sends a Slurm request, with a key of the lab's own. */
export async function startMunge(paths: LabPaths): Promise<void> {
  if (daemonPid(paths, MUNGE) !== undefined) return;
  const { uid, gid } = account('munge');
  const { directory, key, socket } = paths.munge;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  chownSync(directory, uid, gid);
  if (!existsSync(key)) {
    writeFileSync(key, randomBytes(128), { mode: 0o400 });
    chownSync(key, uid, gid);
  }
  rmSync(socket, { force: true });
  startDaemon(paths, {
    name: MUNGE,
    command: '/usr/sbin/munged',
    commandArguments: [
      '--foreground',
      `--socket=${socket}`,
      `--key-file=${key}`,
      `--pid-file=${directory}/munged.pid`,
      `--seed-file=${directory}/munged.seed`,
      `--log-file=${directory}/munged.log`,
    ],
    account: { uid, gid },
  });
  await waitUntilReady(paths, MUNGE, () => isListening({ path: socket }), 10);
}
