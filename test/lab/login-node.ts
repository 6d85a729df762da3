import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import { isListening } from './listening.ts';
import {
  daemonPid,
  descendantsOf,
  runningProcesses,
  signal,
  startDaemon,
  stopDaemon,
  waitUntilReady,
} from './processes.ts';

export const LOGIN_NODE = 'sshd';

export interface LoginNode {
  host: string;
  port: number;
  user: string;
  privateKeyFile: string;
  /** As `ssh-keygen -l` shows it: `SHA256:` and 43 characters. */
  hostKeySha256: string;
}

/** Starts an sshd of the lab's own, on loopback. Whoever logs in finds the lab's SLURM_CONF in the environment. */
export async function startLoginNode(paths: LabPaths, port: number): Promise<void> {
  if (daemonPid(paths, LOGIN_NODE) !== undefined) return;
  const { hostKey, clientKey, authorizedKeys, configuration } = paths.loginNode;
  createKey(hostKey, 'bramble-lab host');
  createKey(clientKey, 'bramble-lab client');
  copyFileSync(`${clientKey}.pub`, authorizedKeys);
  writeFileAtomically(configuration, sshdConfiguration(paths, port), 0o644);
  mkdirSync(PRIVILEGE_SEPARATION_DIRECTORY, { recursive: true, mode: 0o755 });
  startDaemon(paths, {
    name: LOGIN_NODE,
    command: '/usr/sbin/sshd',
    commandArguments: ['-D', '-f', configuration, '-E', join(paths.logs, 'sshd.log')],
  });
  await waitUntilReady(paths, LOGIN_NODE, () => isListening({ host: '127.0.0.1', port }), 10);
}

/** Ends sshd together with the sessions that are open. */
export async function stopLoginNode(paths: LabPaths): Promise<void> {
  const pid = daemonPid(paths, LOGIN_NODE);
  const sessions = pid === undefined ? [] : descendantsOf([{ pid }], runningProcesses());
  for (const session of sessions) signal(session.pid, 'SIGKILL');
  await stopDaemon(paths, LOGIN_NODE);
}

export function loginNode(paths: LabPaths, port: number): LoginNode {
  const key = readFileSync(`${paths.loginNode.hostKey}.pub`, 'utf8').split(' ')[1] ?? '';
  const hash = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  return {
    host: '127.0.0.1',
    port,
    user: 'root',
    privateKeyFile: paths.loginNode.clientKey,
    hostKeySha256: `SHA256:${hash}`,
  };
}

/** Compiled into Debian's sshd, which does not start without it. Elsewhere the ssh service makes it. */
const PRIVILEGE_SEPARATION_DIRECTORY = '/run/sshd';

/**
 * StrictModes is off because sshd would refuse a key below /var/tmp, which everybody may write to. The lab's directories
 * are root's own, and the sticky bit keeps others from replacing them.
 */
function sshdConfiguration(paths: LabPaths, port: number): string {
  return `# Written by lab:up; changes are overwritten.
ListenAddress 127.0.0.1
Port ${port}
HostKey ${paths.loginNode.hostKey}
AuthorizedKeysFile ${paths.loginNode.authorizedKeys}
PidFile ${paths.loginNode.directory}/sshd.pid
AllowUsers root
PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM ${isRootLocked() ? 'yes' : 'no'}
StrictModes no
UseDNS no
AllowTcpForwarding no
X11Forwarding no
PrintMotd no
MaxSessions 64
MaxStartups 100:30:200
Subsystem sftp internal-sftp
# Not root's own: bash reads ~/.bashrc for commands over SSH, and what stands there may take its time.
SetEnv SLURM_CONF=${paths.slurmConf} LANG=C.UTF-8 HOME=${paths.loginNode.directory}
`;
}

/** Without PAM, sshd turns away every account whose password is locked, whatever key it shows. */
function isRootLocked(): boolean {
  return /^root:!/m.test(readFileSync('/etc/shadow', 'utf8'));
}

function createKey(file: string, comment: string): void {
  if (existsSync(file) && existsSync(`${file}.pub`)) return;
  const keygen = spawnSync(
    '/usr/bin/ssh-keygen',
    ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file],
    {
      input: 'y\n',
      encoding: 'utf8',
    },
  );
  if (keygen.status !== 0) throw new LabError(`ssh-keygen failed: ${keygen.stderr.trim()}`);
}
