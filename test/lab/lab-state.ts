import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from './atomic-file.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import type { LabPorts } from './ports.ts';

/** What a lab remembers from one `up` to the next. */
export interface LabState {
  format: 1;
  createdAt: string;
  ports: LabPorts;
}

export function readLabState(paths: LabPaths): LabState | undefined {
  if (!existsSync(paths.stateFile)) return undefined;
  const state = JSON.parse(readFileSync(paths.stateFile, 'utf8')) as LabState | { format: unknown };
  if (state.format !== 1) {
    throw new LabError(
      `${paths.stateFile} was written by another version; run lab:down of that version first`,
    );
  }
  return state as LabState;
}

export function writeLabState(paths: LabPaths, ports: LabPorts): LabState {
  const state: LabState = { format: 1, createdAt: new Date().toISOString(), ports };
  writeFileAtomically(paths.stateFile, `${JSON.stringify(state, null, 2)}\n`, 0o644);
  return state;
}
