import { APT_LINES } from './apt-lines.ts';
import { aptProblem } from './apt-problem.ts';
import { type Probe, type StepContext, StepProblem } from './board-step.ts';
import { runLong } from './run-long.ts';

const INSTALL_WITHIN_MS = 60 * 60_000;

/**
 * `$@` packages. Lists of the last hour are taken as they are, unless it turns out that they are not good enough. Where
 * packages are half installed, it is not for the lists, and a second attempt would hide what it is for.
 */
const INSTALL = `${APT_LINES}
free_locks
mend
if lists_are_fresh && apt-cache show --no-all-versions "$@" > /dev/null 2>&1; then
  status=0
  apt install "$@" || status=$?
  [ "$status" -ne 0 ] || exit 0
  [ -z "$(unfinished)" ] || exit "$status"
  echo 'Once more, with new package lists.'
fi
update
apt install "$@"
`;

/** Tells each package's version, or nothing where it is not installed. */
export const packagesProbe = (packages: readonly string[]): Probe => ({
  script: `
for package; do
  printf '%s ' "$package"
  dpkg-query --show --showformat='\${db:Status-Status} \${Version}' "$package" 2> /dev/null | sed -n 's/^installed //p' | tr -d '\\n'
  echo
done`,
  args: packages,
});

/** @returns by package, the version that is installed, or null */
export function parsePackages(seen: string): Map<string, string | null> {
  return new Map(
    seen
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string | null] => {
        const [name = '', version = ''] = line.split(' ');
        return [name, version === '' ? null : version];
      }),
  );
}

/**
 * Installs Debian packages without what they merely recommend. What a killed dpkg has left is mended first, and others
 * who work with packages are waited for. An installation that goes on from a run before this one is waited for.
 * @throws StepProblem
 */
export async function installPackages(context: StepContext, packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  await workWithPackages(context, INSTALL, packages);
}

/**
 * Runs lines that work with apt, for as long as they take: the board ends them after an hour.
 * @returns the end of the output
 * @throws StepProblem that says what is in the way
 */
export async function workWithPackages(
  context: StepContext,
  script: string,
  args: readonly string[],
): Promise<string> {
  try {
    return await runLong(context, { name: 'apt', script, args, timeoutMs: INSTALL_WITHIN_MS });
  } catch (error) {
    throw error instanceof StepProblem ? aptProblem(error) : error;
  }
}
