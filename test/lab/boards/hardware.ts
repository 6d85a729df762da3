import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { daemonPid, startDaemon, stopDaemon, waitUntilReady } from '../processes.ts';
import { machineName } from './board-machine.ts';
import { boardPaths, boardsPaths } from './boards-directory.ts';
import type { BoardPaths, BoardsPaths } from './boards-directory.ts';
import { firstProcessOf } from './cgroups.ts';
import { attachDisk, showDisk } from './disk.ts';
import { type DiskNodes, ensureNodes } from './disk-nodes.ts';
import { NFS_SOCKET } from './nfs-fixture.ts';
import { answerMount } from './nfs-mount.ts';

export const HARDWARE = 'hardware';

const LOOK_EVERY_MS = 300;

/** Starts what stands in for udev and for NFS between boards: neither can a board without a kernel of its own have. */
export async function startHardware(paths: BoardsPaths, boards: readonly string[]): Promise<void> {
  const sockets = boards.map((name) => socketOf(boardPaths(paths, name)));
  if (daemonPid(paths.lab, HARDWARE) === undefined) {
    for (const socket of sockets) rmSync(socket, { force: true });
    begin(paths);
  }
  const ready = () => sockets.every((socket) => existsSync(socket));
  await waitUntilReady(paths.lab, HARDWARE, ready, 20);
}

function begin(paths: BoardsPaths): void {
  startDaemon(paths.lab, {
    name: HARDWARE,
    command: process.execPath,
    commandArguments: [fileURLToPath(import.meta.url), paths.lab.directory],
  });
}

export function stopHardware(paths: BoardsPaths): Promise<void> {
  return stopDaemon(paths.lab, HARDWARE);
}

function socketOf(board: BoardPaths): string {
  return `${board.fixture}/${NFS_SOCKET}`;
}

async function keepBoards(paths: BoardsPaths): Promise<never> {
  const servers = new Map<string, Server>();
  const boots = new Map<string, { pid: number; nodes: DiskNodes }>();
  for (;;) {
    for (const name of existsSync(paths.boards) ? readdirSync(paths.boards) : []) {
      const board = boardPaths(paths, name);
      if (!existsSync(board.fixture)) continue;
      const disk = attachDisk(board);
      showDisk(board, disk);
      if (!servers.has(name)) servers.set(name, serveMounts(paths, name));
      const pid = firstProcessOf(machineName(paths, name));
      if (pid === undefined) continue;
      const before = boots.get(name);
      const known = before?.pid === pid ? before.nodes : new Map<string, string>();
      try {
        boots.set(name, { pid, nodes: ensureNodes(`/proc/${pid}/root`, disk, known) });
      } catch (error) {
        // The board may end at any moment.
        if (firstProcessOf(machineName(paths, name)) === pid) console.error(error);
      }
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function serveMounts(paths: BoardsPaths, name: string): Server {
  const path = socketOf(boardPaths(paths, name));
  rmSync(path, { force: true });
  return createServer({ allowHalfOpen: true }, (connection) => {
    let request = '';
    connection.setEncoding('utf8').on('data', (text: string) => (request += text));
    connection.on('error', () => undefined);
    connection.on('end', () => {
      answerMount(paths, name, request).then(
        (answer) => connection.end(`${answer}\n`),
        (error: unknown) => connection.end(`${String(error)}\n`),
      );
    });
  }).listen(path);
}

const [, program, directory] = process.argv;
if (program === fileURLToPath(import.meta.url) && directory !== undefined)
  await keepBoards(boardsPaths(directory));
