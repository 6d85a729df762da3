import { posix } from 'node:path';
import { CONTROL_DIRECTORY } from '#core/jobs/job-request';
import type { StagedFile } from '#core/jobs/run-directory';
import { Problem } from '#core/vocabulary/problem';
import { relativePath } from '#core/vocabulary/text';
import { LOG_NAMES } from './run-logs.ts';
import { MAXIMUM_DEPTH } from './tree-walk.ts';

/** The longest name that Linux file systems take, in bytes. */
const MAXIMUM_NAME_BYTES = 255;

const MAXIMUM_MODE = 0o777;

export interface StagingPlan {
  /** Relative to the run directory, each after the one that holds it; the run directory itself is left out. */
  directories: string[];
  files: readonly StagedFile[];
}

/**
 * What stands in a new run directory. The logs are there from the start, empty, because slurmd makes no directories for
 * the files it opens.
 *
 * @throws Problem `invalid_request` for what no file system can hold, such as a file below a file
 */
export function planStaging(files: readonly StagedFile[], logMode: number): StagingPlan {
  const directories = new Set([CONTROL_DIRECTORY]);
  const paths = new Set<string>();
  for (const { path, mode } of files) {
    const fault = faultOf(path) ?? (paths.has(path) ? 'is there twice' : undefined);
    if (fault !== undefined) throw new Problem('invalid_request', `The input "${path}" ${fault}.`);
    if (mode < 0 || mode > MAXIMUM_MODE)
      throw new Problem('invalid_request', `The mode of the input "${path}" is not 0000 to 0777.`);
    paths.add(path);
    for (
      let parent = posix.dirname(path);
      parent !== '.' && !directories.has(parent);
      parent = posix.dirname(parent)
    ) {
      directories.add(parent);
    }
  }
  for (const path of paths) {
    if (directories.has(path))
      throw new Problem('invalid_request', `The input "${path}" is a file, and another input is below it.`);
  }
  const logs = Object.values(LOG_NAMES).map((name) => ({
    path: `${CONTROL_DIRECTORY}/${name}`,
    mode: logMode,
    source: { text: '' },
  }));
  return { directories: [...directories].sort(), files: [...files, ...logs] };
}

function faultOf(path: string): string | undefined {
  const parsed = relativePath.safeParse(path);
  if (!parsed.success) return parsed.error.issues.map(({ message }) => message).join(', ');
  const parts = path.split('/');
  if (parts[0] === CONTROL_DIRECTORY) return `must not be below "${CONTROL_DIRECTORY}"`;
  if (parts.length > MAXIMUM_DEPTH) return `must not be in more than ${MAXIMUM_DEPTH - 1} directories`;
  if (!path.isWellFormed()) return 'must be valid Unicode';
  if (parts.some((part) => Buffer.byteLength(part) > MAXIMUM_NAME_BYTES)) {
    return `must not have a part of more than ${MAXIMUM_NAME_BYTES} bytes`;
  }
  return undefined;
}
