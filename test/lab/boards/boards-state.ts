import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../atomic-file.ts';
import type { LabPaths } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import type { BoardArchitecture } from './base-recipe.ts';
import type { BoardRecord } from './board-record.ts';

/** What the boards' lab remembers from one `up` to the next. */
export interface BoardsState {
  format: 'boards-2';
  createdAt: string;
  /** The first three numbers of the addresses, such as `10.213.77`. */
  subnet: string;
  /** By architecture, the root file system that lies below all boards; a board cannot change to another. */
  bases: Partial<Record<BoardArchitecture, string>>;
  boards: BoardRecord[];
}

export function readBoardsState(paths: LabPaths): BoardsState | undefined {
  if (!existsSync(paths.stateFile)) return undefined;
  const state = JSON.parse(readFileSync(paths.stateFile, 'utf8')) as BoardsState | { format: unknown };
  if (state.format !== 'boards-2') {
    throw new LabError(`${paths.directory} is not a lab of boards of this version`);
  }
  return state as BoardsState;
}

export function writeBoardsState(paths: LabPaths, state: BoardsState): BoardsState {
  writeFileAtomically(paths.stateFile, `${JSON.stringify(state, null, 2)}\n`, 0o644);
  return state;
}
