import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { timed } from '../../costs/ledger.ts';
import { createLabDirectory, labPaths, removeEmptyParent, removeLabDirectory } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import { withLabLock } from '../lab-lock.ts';
import { waitUntil } from '../waiting.ts';
import type { Stock } from './base-recipe.ts';
import { ensureBaseSystem } from './base-system.ts';
import { boardOf } from './board.ts';
import type { Board } from './board.ts';
import { cutPower, isOn, startMachine } from './board-machine.ts';
import { withBoards } from './board-record.ts';
import type { BoardRecord, BoardSettings } from './board-record.ts';
import { ensureBoardSystem } from './board-system.ts';
import { SHARED_DIRECTORY, boardPaths, boardsPaths, defaultBoardsDirectory } from './boards-directory.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { readBoardsState, writeBoardsState } from './boards-state.ts';
import type { BoardsState } from './boards-state.ts';
import { cgroupsBeginningWith, endCgroups } from './cgroups.ts';
import { detachDisks } from './disk.ts';
import { ensureEmulation } from './emulation.ts';
import { startHardware, stopHardware } from './hardware.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { startNameServer, stopNameServer } from './name-server.ts';
import {
  boardAddress,
  bridgeAddress,
  bridgeExists,
  ensureBridge,
  ensureCable,
  removeLinks,
} from './network.ts';
import { packageCacheUrl, startPackageCache, stopPackageCache } from './package-cache.ts';
import { answersOnSsh } from './ssh-port.ts';
import { chooseFreeSubnet } from './subnet.ts';
import { PATIENCE_MS } from '../../patience.ts';

export { LabError } from '../lab-error.ts';
export type { BoardArchitecture } from './base-recipe.ts';
export type { Board, BoardCommandOptions } from './board.ts';
export type { BoardSettings } from './board-record.ts';
export { DISK_DEVICE } from './disk.ts';
export type { DiskSettings } from './disk.ts';
export { boardsStatus } from './boards-status.ts';
export type { BoardsStatus } from './boards-status.ts';
export type { RaspberryPiName } from './raspberry-pis.ts';

/** Virtual Raspberry Pis on a network of their own, which ends at this machine. */
export interface BoardsLab {
  dir: string;
  /** Those that `up` was asked for, in that order. */
  boards: Board[];
  /** All of the lab's boards and the machine are in it. */
  subnet: string;
  /** The machine as the boards see it: their name server and DHCP server. */
  bridgeAddress: string;
  /** A proxy for apt; the boards are set to it. */
  packageCacheUrl: string;
  /** @throws LabError when the lab has no such board. */
  board(name: string): Board;
}

export interface BoardsOptions {
  /** Default: beside the Slurm lab of this checkout. Absolute, at most 56 plain characters. */
  dir?: string;
  /** How many, named `board1`, `board2` …, or which. Default 2. Boards that are there already keep their settings. */
  boards?: number | readonly BoardSettings[];
  /** Packages that are installed on them already, which saves most of the time of an enrolment. Default: none. */
  stocked?: Stock;
  log?: Log;
}

const SSH_TIMEOUT_MS = PATIENCE_MS;
/** Two labs that start at once must not choose the same subnet. */
const SUBNETS = labPaths(`${SHARED_DIRECTORY}/subnets`);

/**
 * Makes boards, or heals them: those that run are left alone, those that do not are started, cables are plugged in. The
 * first call on a machine installs Debian packages and makes the base system. Needs root.
 *
 * @throws LabError when root is missing, or something does not start.
 */
export async function boardsUp(options: BoardsOptions = {}): Promise<BoardsLab> {
  const paths = boardsPaths(options.dir ?? defaultBoardsDirectory());
  const log = options.log ?? (() => undefined);
  const wanted = boardSettings(options.boards ?? 2);
  assertRoot();
  await ensureDebianPackages('boards', log);
  const state = await timed('boards', () =>
    withLabLock(paths.lab, () => bringUp(paths, wanted, options.stocked, log)),
  );
  return boardsLab(paths, state, wanted);
}

/** Ends the boards and removes all that `up` has made, also what a crash has left. Does nothing when there is none. */
export async function boardsDown(dir?: string, log: Log = () => undefined): Promise<void> {
  const paths = boardsPaths(dir ?? defaultBoardsDirectory());
  assertRoot();
  await withLabLock(paths.lab, async () => {
    const existed = existsSync(paths.lab.directory);
    const names = existsSync(paths.boards) ? readdirSync(paths.boards) : [];
    if (names.length > 0) log(`Switching off ${names.join(', ')}`);
    await Promise.all(names.map((name) => cutPower(paths, name)));
    await Promise.all(cgroupsBeginningWith(`${paths.prefix}-`).map((name) => endCgroups(name)));
    await Promise.all([stopNameServer(paths), stopPackageCache(paths), stopHardware(paths)]);
    await detachDisks(paths.lab.directory);
    await removeLinks(paths);
    await unmountBelow(paths.lab.directory);
    const left = mountsBelow(paths.lab.directory);
    if (left.length > 0) throw new LabError(`Still mounted: ${left.join(', ')}; nothing was removed`);
    removeLabDirectory(paths.lab);
    log(existed ? `Removed ${paths.lab.directory}` : `There are no boards in ${paths.lab.directory}`);
  });
  removeEmptyParent(paths.lab);
}

/** The state is written before anything is made of it. */
async function bringUp(
  paths: BoardsPaths,
  wanted: readonly BoardSettings[],
  stocked: Stock | undefined,
  log: Log,
): Promise<BoardsState> {
  createLabDirectory(paths.lab);
  const known = readBoardsState(paths.lab);
  const boards = withBoards(known?.boards ?? [], wanted, paths.prefix);
  const bases = await baseSystems(known?.bases ?? {}, boards, stocked, log);
  const state = await withLabLock(SUBNETS, () => prepareNetwork(paths, known, { bases, boards }));
  for (const directory of [paths.lab.logs, paths.lab.pids]) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }
  mkdirSync(paths.boards, { recursive: true, mode: 0o700 });
  await Promise.all([
    startNameServer(paths, state.subnet, state.boards),
    startPackageCache(paths, state.subnet),
  ]);
  for (const board of state.boards) await makeBoard(paths, state, board);
  await startHardware(
    paths,
    state.boards.map(({ name }) => name),
  );
  const off = state.boards.filter(({ name }) => !isOn(paths, name)).map(({ name }) => name);
  if (off.length > 0) log(`Switching on ${off.join(', ')}`);
  await Promise.all(state.boards.map((board) => startBoard(paths, state, board)));
  log(`The boards are up in ${paths.lab.directory}: ${state.boards.length} on ${state.subnet}.0/24`);
  return state;
}

/** The subnet is kept from one start to the next, unless somebody else took it while there was no bridge. */
async function prepareNetwork(
  paths: BoardsPaths,
  known: BoardsState | undefined,
  { bases, boards }: Pick<BoardsState, 'bases' | 'boards'>,
): Promise<BoardsState> {
  const hasBridge = bridgeExists(paths);
  // What was bound to a bridge that is gone does not hear on the next one.
  if (!hasBridge) await Promise.all([stopNameServer(paths), stopPackageCache(paths)]);
  const state = writeBoardsState(paths.lab, {
    format: 'boards-2',
    createdAt: known?.createdAt ?? new Date().toISOString(),
    subnet: known !== undefined && hasBridge ? known.subnet : await chooseFreeSubnet(paths.prefix),
    bases,
    boards,
  });
  await ensureBridge(paths, state.subnet);
  return state;
}

/** Those that the lab has, and those that its boards need beside them. */
async function baseSystems(
  known: BoardsState['bases'],
  boards: readonly BoardRecord[],
  stocked: Stock | undefined,
  log: Log,
): Promise<BoardsState['bases']> {
  const bases = { ...known };
  for (const { architecture } of boards) {
    await ensureEmulation(architecture, log);
    bases[architecture] ??= await ensureBaseSystem(architecture, log, { stocked });
  }
  return bases;
}

async function makeBoard(paths: BoardsPaths, state: BoardsState, board: BoardRecord): Promise<void> {
  const own = boardPaths(paths, board.name);
  await ensureBoardSystem(own, board, state);
  await ensureCable(paths, own, board);
}

async function startBoard(paths: BoardsPaths, state: BoardsState, board: BoardRecord): Promise<void> {
  await startMachine(paths, board.name);
  const host = boardAddress(state.subnet, board);
  await waitUntil(`sshd of ${board.name} on ${host}`, () => answersOnSsh(host), {
    timeoutMs: SSH_TIMEOUT_MS,
  });
}

function boardSettings(boards: number | readonly BoardSettings[]): readonly BoardSettings[] {
  if (typeof boards !== 'number') return boards;
  return Array.from({ length: boards }, (_, index) => ({ name: `board${index + 1}` }));
}

function boardsLab(paths: BoardsPaths, state: BoardsState, wanted: readonly BoardSettings[]): BoardsLab {
  const board = (name: string): Board => {
    const record = state.boards.find((known) => known.name === name);
    if (record === undefined) throw new LabError(`The lab has no board ${name}`);
    return boardOf(paths, state.subnet, record);
  };
  return {
    dir: paths.lab.directory,
    boards: wanted.map(({ name }) => board(name)),
    subnet: `${state.subnet}.0/24`,
    bridgeAddress: bridgeAddress(state.subnet),
    packageCacheUrl: packageCacheUrl(state.subnet),
    board,
  };
}

function assertRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new LabError('The boards need root, for namespaces and mounts. Try the same command with sudo.');
  }
}
