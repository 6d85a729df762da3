import { readFileSync, readdirSync } from 'node:fs';
import { arch } from 'node:os';
import { machineName } from './board-machine.ts';
import { boardPaths } from './boards-directory.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { firstProcessOf } from './cgroups.ts';
import { runCommand, runOrThrow } from './command.ts';
import { exportFor } from './nfs-exports.ts';

const ETAB = '/var/lib/nfs/etab';

/** The number of a call differs between architectures only where it is older than 2019. */
const SETNS = arch() === 'arm64' ? 268 : 308;

/**
 * Clones a mount of one board's namespace into another's: `$1` and `$2` processes, `$3` and `$4` paths. Paths are looked
 * up by the boards' own roots.
 */
const CLONE_MOUNT = `
use strict;
my ($from, $to, $source, $target) = @ARGV;
my ($newns, $clone, $cloexec, $at_cwd, $empty_path, $itself) = (0x20000, 1, 0x80000, -100, 4, "");
open(my $server, "<", "/proc/$from/ns/mnt") or die "$!\\n";
open(my $client, "<", "/proc/$to/ns/mnt") or die "$!\\n";
syscall(${SETNS}, fileno($server), $newns) == 0 or die "setns: $!\\n";
my $tree = syscall(428, $at_cwd, $source, $clone | $cloexec);
$tree >= 0 or die "$source: $!\\n";
syscall(${SETNS}, fileno($client), $newns) == 0 or die "setns: $!\\n";
syscall(429, $tree, $itself, $at_cwd, $target, $empty_path) == 0 or die "$target: $!\\n";
`;

/**
 * Mounts a directory of one board on another, if the first one exports it to the second.
 *
 * @param request address of the server, directory, and where to mount it for the moment, a line each.
 * @returns `ok`, `ok ro`, or what mount.nfs says when it is refused.
 */
export async function answerMount(paths: BoardsPaths, client: string, request: string): Promise<string> {
  const [address = '', path = '', target = ''] = request.split('\n');
  const server = await boardWith(paths, address);
  const [from, to] = [server, client].map((name) =>
    name === undefined ? undefined : firstProcessOf(machineName(paths, name)),
  );
  if (server === undefined || from === undefined || to === undefined) return 'Connection timed out';
  const etab = readOrEmpty(`/proc/${from}/root${ETAB}`);
  const found = exportFor(etab, path, await sourceAddress(paths, client, address));
  if (found === undefined) return `access denied by server while mounting ${address}:${path}`;
  if (found.onlyMounted && !mountPointsOf(from).includes(found.path))
    return `mounting ${address}:${path} failed, reason given by server: No such file or directory`;
  const { exitCode, stderr } = await runCommand([
    ...['perl', '-e', CLONE_MOUNT, String(from), String(to), path, target],
  ]);
  if (exitCode !== 0) return stderr.trim();
  return found.readOnly ? 'ok ro' : 'ok';
}

interface Interface {
  addr_info: { local?: string }[];
}

async function boardWith(paths: BoardsPaths, address: string): Promise<string | undefined> {
  for (const name of readdirSync(paths.boards)) {
    const answer = await inNetworkOf(paths, name, [
      'ip',
      '-json',
      '-4',
      'address',
      'show',
      'scope',
      'global',
    ]);
    const interfaces = JSON.parse(answer || '[]') as Interface[];
    if (interfaces.some((one) => one.addr_info.some(({ local }) => local === address))) return name;
  }
  return undefined;
}

async function sourceAddress(paths: BoardsPaths, client: string, server: string): Promise<string> {
  const answer = await inNetworkOf(paths, client, ['ip', '-json', 'route', 'get', server]);
  const [route] = JSON.parse(answer) as { prefsrc?: string }[];
  return route?.prefsrc ?? '';
}

function inNetworkOf(paths: BoardsPaths, name: string, argv: readonly string[]): Promise<string> {
  return runOrThrow(['nsenter', `--net=${boardPaths(paths, name).networkNamespace}`, ...argv]);
}

function mountPointsOf(pid: number): string[] {
  return readOrEmpty(`/proc/${pid}/mountinfo`)
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
