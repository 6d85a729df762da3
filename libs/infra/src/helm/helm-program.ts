import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

const PROBE_TIMEOUT_MS = 10_000;

/**
 * @param program a path, or a name that is looked for in `searchPath`
 * @returns its path; undefined where there is no such program
 */
export async function findProgram(
  program: string,
  searchPath = process.env.PATH ?? '',
): Promise<string | undefined> {
  const directories = searchPath.split(delimiter).filter(isAbsolute);
  const candidates = program.includes('/')
    ? [program]
    : directories.map((directory) => join(directory, program));
  for (const candidate of candidates) {
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}

/**
 * What goes before a command that has to end when this process does, however that ends: a Helm that went on beside the
 * worker that takes over would undo what that one does. Nothing where util-linux's setpriv is missing, as in images
 * without a shell: there the container ends as a whole. The setpriv of BusyBox does not know the option.
 *
 * The kernel watches the thread that has started the command, so that this is for the main thread.
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
export async function endingWithThisProcess(): Promise<readonly string[]> {
  const setpriv = await findProgram('setpriv');
  if (setpriv === undefined) return [];
  const argv = ['--pdeathsig', 'TERM', '--'];
  return new Promise((resolve) => {
    execFile(setpriv, [...argv, 'true'], { timeout: PROBE_TIMEOUT_MS }, (error) =>
      resolve(error === null ? [setpriv, ...argv] : []),
    );
  });
}
