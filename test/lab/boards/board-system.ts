import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { BoardRecord } from './board-record.ts';
import type { BoardPaths } from './boards-directory.ts';
import type { BoardsState } from './boards-state.ts';
import { runOrThrow } from './command.ts';
import { plugInDisk } from './disk.ts';
import { EMULATION_FILES } from './emulation-fixture.ts';
import { machineArchitecture } from './emulation.ts';
import { writeFixture } from './fixture.ts';
import { isMounted } from './mounts.ts';
import { boardAddress, bridgeAddress } from './network.ts';
import { packageCacheUrl } from './package-cache.ts';

const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key';
const PACKAGE_CACHE_SETTING = '/etc/apt/apt.conf.d/01lab-package-cache';

/**
 * Makes a board's root file system, or mounts it again. What is new is what differs between two fresh cards: the host
 * key, and the machine id that the first boot chooses.
 */
export async function ensureBoardSystem(
  board: BoardPaths,
  record: BoardRecord,
  { bases, subnet }: BoardsState,
): Promise<void> {
  for (const directory of [board.root, board.changes, board.work, board.fixture]) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }
  writeFixture(board.fixture, record);
  if (!isMounted(board.root)) {
    const base = bases[record.architecture];
    if (base === undefined) throw new LabError(`The lab has no base system for ${record.architecture}`);
    const layers = `lowerdir=${base},upperdir=${board.changes},workdir=${board.work}`;
    await runOrThrow(['mount', '-t', 'overlay', 'bramble-board', '-o', layers, board.root]);
  }
  if (!existsSync(board.hostKey)) {
    if (record.architecture !== machineArchitecture()) {
      insertAddress(board, record, subnet);
      insertEmulationFiles(board);
    }
    insertHostKey(board);
    plugInDisk(board, record.disk);
  }
  writeFileSync(
    join(board.root, PACKAGE_CACHE_SETTING),
    `// The lab's boards have no other way out.\nAcquire::http::Proxy "${packageCacheUrl(subnet)}";\n`,
  );
}

/** As `ssh-keygen -l` shows the key that the board was made with: `SHA256:` and 43 characters. */
export function hostKeyFingerprint(board: BoardPaths): string {
  const key = readFileSync(`${board.hostKey}.pub`, 'utf8').split(' ')[1] ?? '';
  const hash = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  return `SHA256:${hash}`;
}

/** qemu-user does not pass on the raw packets that dhclient reads. */
function insertAddress(board: BoardPaths, record: BoardRecord, subnet: string): void {
  writeFileSync(
    join(board.root, '/etc/network/interfaces'),
    `auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n  address ${boardAddress(subnet, record)}/24\n`,
  );
  writeFileSync(join(board.root, '/etc/resolv.conf'), `nameserver ${bridgeAddress(subnet)}\n`);
}

function insertEmulationFiles(board: BoardPaths): void {
  for (const { path, content, mode } of EMULATION_FILES) {
    mkdirSync(dirname(join(board.root, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(board.root, path), content, { mode });
  }
}

function insertHostKey(board: BoardPaths): void {
  const own = join(board.root, HOST_KEY);
  const keygen = spawnSync(
    '/usr/bin/ssh-keygen',
    ['-q', '-t', 'ed25519', '-N', '', '-C', 'root@raspberrypi', '-f', own],
    { input: 'y\n', encoding: 'utf8' },
  );
  if (keygen.status !== 0) throw new LabError(`ssh-keygen failed: ${keygen.stderr.trim()}`);
  copyFileSync(`${own}.pub`, `${board.hostKey}.pub`);
  copyFileSync(own, board.hostKey);
}
