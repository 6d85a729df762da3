import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { LabError } from './lab-error.ts';

export const DEBIAN_MIRROR = 'http://deb.debian.org/debian';
export const DEBIAN_SUITE = 'bookworm';

/** Lines of sources.list: the release, its updates and its security updates. */
export const DEBIAN_SOURCES = `deb ${DEBIAN_MIRROR} ${DEBIAN_SUITE} main
deb ${DEBIAN_MIRROR} ${DEBIAN_SUITE}-updates main
deb ${DEBIAN_MIRROR}-security ${DEBIAN_SUITE}-security main
`;

export interface MinimalDebian {
  suite: string;
  mirror: string;
  /** Debian's name for it, such as `arm64`. Default: this machine's. */
  architecture?: string;
  /** Besides the essential ones and apt. */
  packages?: readonly string[];
}

/**
 * Makes a root file system of Debian's packages. In namespaces of its own, so that it ends with this process, and leaves no
 * mounts behind.
 *
 * @throws LabError that names the log.
 */
export async function debootstrap(
  { suite, mirror, architecture, packages = [] }: MinimalDebian,
  root: string,
  logFile: string,
): Promise<void> {
  const log = openSync(logFile, 'w', 0o644);
  const argv = [
    ...['--pdeathsig=KILL', 'unshare', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'],
    ...['/usr/sbin/debootstrap', '--variant=minbase'],
    ...(architecture === undefined ? [] : [`--arch=${architecture}`]),
    '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
    ...(packages.length === 0 ? [] : [`--include=${packages.join(',')}`]),
    ...[suite, root, mirror],
  ];
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('/usr/bin/setpriv', argv, {
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    });
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    closeSync(log);
  });
  if (exitCode !== 0) throw new LabError(`debootstrap failed; see ${logFile} and ${root}/debootstrap`);
  rmSync(logFile);
}
