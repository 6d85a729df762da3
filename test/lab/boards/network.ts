import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import type { BoardRecord } from './board-record.ts';
import type { BoardPaths, BoardsPaths } from './boards-directory.ts';
import { runOrThrow } from './command.ts';
import { isMounted } from './mounts.ts';

const ip = (...argv: string[]): Promise<string> => runOrThrow(['ip', ...argv]);

export function bridgeAddress(subnet: string): string {
  return `${subnet}.1`;
}

export function boardAddress(subnet: string, { host }: Pick<BoardRecord, 'host'>): string {
  return `${subnet}.${host}`;
}

export function bridgeExists({ bridge }: BoardsPaths): boolean {
  return existsSync(`/sys/class/net/${bridge}`);
}

/** Makes the bridge, the machine's only way to the boards and theirs to the machine. Nothing is forwarded beyond it. */
export async function ensureBridge(paths: BoardsPaths, subnet: string): Promise<void> {
  const { bridge } = paths;
  if (!bridgeExists(paths)) await ip('link', 'add', bridge, 'type', 'bridge');
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/forwarding`, '0');
  withoutIpv6(bridge);
  await ip('address', 'replace', `${bridgeAddress(subnet)}/24`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
}

/**
 * Makes the board's network namespace and the cable to the bridge, or what of them is missing. The namespace outlives
 * the board's reboots. It is not known to `ip netns`, which would leave a mount of its own on the machine.
 */
export async function ensureCable(paths: BoardsPaths, board: BoardPaths, record: BoardRecord): Promise<void> {
  const cable = cableOf(paths, record);
  if (!isMounted(board.networkNamespace)) {
    writeFileSync(board.networkNamespace, '');
    await runOrThrow(['unshare', `--net=${board.networkNamespace}`, 'true']);
  }
  if (!existsSync(`/sys/class/net/${cable}`)) {
    const boardsEnd = ['name', 'eth0', 'address', record.mac, 'netns', board.networkNamespace];
    await ip('link', 'add', cable, 'type', 'veth', 'peer', ...boardsEnd);
    withoutIpv6(cable);
  }
  await ip('link', 'set', cable, 'master', paths.bridge);
  await plugIn(paths, record);
}

export async function plugIn(paths: BoardsPaths, record: BoardRecord): Promise<void> {
  await ip('link', 'set', cableOf(paths, record), 'up');
}

/** The board sees that there is no carrier. It keeps its address. */
export async function unplug(paths: BoardsPaths, record: BoardRecord): Promise<void> {
  await ip('link', 'set', cableOf(paths, record), 'down');
}

/** Removes the bridge and all cables, as far as they are there. */
export async function removeLinks(paths: BoardsPaths): Promise<void> {
  for (const link of linksOf(paths)) await ip('link', 'delete', link);
}

export function linksOf({ prefix }: BoardsPaths): string[] {
  return readdirSync('/sys/class/net').filter((link) => link.startsWith(prefix));
}

function withoutIpv6(link: string): void {
  const setting = `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`;
  if (existsSync(setting)) writeFileSync(setting, '1');
}

/** A link's name has at most 15 characters. */
function cableOf({ prefix }: BoardsPaths, { host }: BoardRecord): string {
  return `${prefix}-${host}`;
}
