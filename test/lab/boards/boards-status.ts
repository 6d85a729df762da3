import { daemonPid } from '../processes.ts';
import { isOn } from './board-machine.ts';
import type { BoardRecord } from './board-record.ts';
import { boardsPaths, defaultBoardsDirectory } from './boards-directory.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { readBoardsState } from './boards-state.ts';
import { HARDWARE } from './hardware.ts';
import { NAME_SERVER } from './name-server.ts';
import { boardAddress, bridgeAddress, bridgeExists } from './network.ts';
import { PACKAGE_CACHE } from './package-cache.ts';
import { answersOnSsh } from './ssh-port.ts';

export interface BoardsStatus {
  dir: string;
  exists: boolean;
  /** The bridge is there, all daemons run, and every board answers on its SSH port. */
  healthy: boolean;
  bridge: { name: string; address: string | undefined; exists: boolean };
  daemons: { name: string; pid: number | undefined }[];
  boards: { name: string; address: string; isOn: boolean; answers: boolean }[];
}

export async function boardsStatus(dir?: string): Promise<BoardsStatus> {
  const paths = boardsPaths(dir ?? defaultBoardsDirectory());
  const state = readBoardsState(paths.lab);
  const daemons = [NAME_SERVER, PACKAGE_CACHE, HARDWARE].map((name) => ({
    name,
    pid: daemonPid(paths.lab, name),
  }));
  const boards =
    state === undefined
      ? []
      : await Promise.all(state.boards.map((board) => boardStatus(paths, state.subnet, board)));
  const bridge = {
    name: paths.bridge,
    address: state === undefined ? undefined : bridgeAddress(state.subnet),
    exists: bridgeExists(paths),
  };
  const daemonsRun = daemons.every(({ pid }) => pid !== undefined);
  return {
    dir: paths.lab.directory,
    exists: state !== undefined,
    healthy: bridge.exists && daemonsRun && boards.every(({ answers }) => answers),
    bridge,
    daemons,
    boards,
  };
}

async function boardStatus(
  paths: BoardsPaths,
  subnet: string,
  board: BoardRecord,
): Promise<BoardsStatus['boards'][number]> {
  const address = boardAddress(subnet, board);
  const answers = await answersOnSsh(address);
  return { name: board.name, address, isOn: isOn(paths, board.name), answers };
}
