import { chownSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { account } from '../accounts.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { isListening } from '../listening.ts';
import { daemonPid, startDaemon, stopDaemon, waitUntilReady } from '../processes.ts';
import { PACKAGES_PREFIX, SHARED_DIRECTORY } from './boards-directory.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { runOrThrow } from './command.ts';
import { bridgeAddress } from './network.ts';

export const PACKAGE_CACHE = 'apt-cacher-ng';
const PORT = 3142;

export function packageCacheUrl(subnet: string): string {
  return `http://${bridgeAddress(subnet)}:${PORT}`;
}

/** Starts the boards' only way to Debian packages. It listens on the bridge and fetches as the machine itself does. */
export async function startPackageCache(paths: BoardsPaths, subnet: string): Promise<void> {
  if (daemonPid(paths.lab, PACKAGE_CACHE) !== undefined) return;
  const { uid, gid } = account('apt-cacher-ng');
  const { directory, configuration, packages } = paths.packageCache;
  mkdirSync(configuration, { recursive: true, mode: 0o755 });
  await seed(packages);
  for (const owned of [directory, packages]) {
    mkdirSync(owned, { recursive: true, mode: 0o755 });
    chownSync(owned, uid, gid);
  }
  writeFileAtomically(join(configuration, 'acng.conf'), packageCacheConfiguration(paths, subnet), 0o644);
  startDaemon(paths.lab, {
    name: PACKAGE_CACHE,
    command: '/usr/sbin/apt-cacher-ng',
    commandArguments: ['-c', configuration],
    account: { uid, gid },
  });
  const ready = () => isListening({ host: bridgeAddress(subnet), port: PORT });
  await waitUntilReady(paths.lab, PACKAGE_CACHE, ready, 10);
}

/** What another lab on this machine has fetched need not be fetched again. */
async function seed(packages: string): Promise<void> {
  if (existsSync(packages)) return;
  const siblings = readdirSync(SHARED_DIRECTORY)
    .filter((name) => name.startsWith(PACKAGES_PREFIX))
    .map((name) => join(SHARED_DIRECTORY, name, 'debrep'))
    .filter((path) => existsSync(path));
  const counted = siblings.map((path) => ({ path, count: readdirSync(path, { recursive: true }).length }));
  const fullest = counted.sort((a, b) => b.count - a.count)[0];
  if (fullest === undefined) return;
  const unfinished = `${packages}.new`;
  await runOrThrow(['rm', '-rf', unfinished]);
  await runOrThrow(['cp', '--archive', dirname(fullest.path), unfinished]);
  renameSync(unfinished, packages);
}

export function stopPackageCache(paths: BoardsPaths): Promise<void> {
  return stopDaemon(paths.lab, PACKAGE_CACHE);
}

/** Written anew, not derived from Debian's: the `Remap` lines in there answer 503 where a mirror list is missing. */
function packageCacheConfiguration({ packageCache }: BoardsPaths, subnet: string): string {
  const proxy = process.env.http_proxy ?? process.env.HTTP_PROXY;
  const certificates = process.env.SSL_CERT_FILE;
  return `# Written by boards:up; changes are overwritten.
ForeGround: 1
BindAddress: ${bridgeAddress(subnet)}
Port: ${PORT}
CacheDir: ${packageCache.packages}
LogDir: ${packageCache.directory}
SocketPath: ${join(packageCache.directory, 'socket')}
SupportDir: /usr/lib/apt-cacher-ng
ExThreshold: 30
${proxy === undefined ? '' : `Proxy: ${proxy}\n`}${certificates === undefined ? '' : `CAfile: ${certificates}\n`}`;
}
