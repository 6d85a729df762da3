import { APT_LINES, FRESH_LISTS } from '../../apt-lines.ts';
import type { StepContext } from '../../board-step.ts';
import { workWithPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import { newerKernel } from './kernel-release.ts';

/** What an upgrade has brought. */
export interface Upgraded {
  /** Packages with their new versions, such as `openssl 3.0.17-1~deb12u2`. */
  packages: string[];
  /** Why the board has to restart; null where it has not. */
  restartBecause: string | null;
}

/** New packages are allowed, for a new kernel is one; nothing is ever removed. */
const UPGRADE_COMMAND = '--with-new-pkgs upgrade';

/** Whether the lists are of the last hour, and `Inst PACKAGE [OLD] (NEW …` of each package that would be upgraded. */
export const UPGRADES_PROBE = `
if ${FRESH_LISTS}; then echo fresh; else echo stale; fi
apt-get -q -s --no-install-recommends ${UPGRADE_COMMAND} 2> /dev/null | grep '^Inst ' || true
`;

/** `$@` are packages to be held back. A preference does it, which is gone with this run, unlike `apt-mark hold`. */
const UPGRADE = `${APT_LINES}
preferences=/run/bramble/apt-preferences
cat /etc/apt/preferences > "$preferences" 2> /dev/null || true
for package; do printf '\\nPackage: %s\\nPin: release *\\nPin-Priority: -1\\n' "$package"; done >> "$preferences"
free_locks
mend
lists_are_fresh || update
apt -o Dir::Etc::Preferences="$preferences" ${UPGRADE_COMMAND}
rm -f "$preferences"
`;

/** Debian's kernels and unattended-upgrades leave the file; Raspberry Pi OS does not, so the kernels are compared. */
const RESTART = `
[ ! -e /run/reboot-required ] || echo required
uname -r
ls /lib/modules 2> /dev/null || true
`;

/** @returns names of packages, by the lines of {@link UPGRADES_PROBE} */
export function parseUpgrades(seen: string): { areFresh: boolean; packages: string[] } {
  const lines = seen.split('\n');
  return {
    areFresh: lines.includes('fresh'),
    packages: lines.flatMap((line) => (line.startsWith('Inst ') ? [line.split(' ')[1] ?? ''] : [])),
  };
}

/** @returns what dpkg has set up, by the end of its output */
export function parseSetUp(output: string): string[] {
  return [...output.matchAll(/^Setting up (\S+?)(?::[a-z0-9]+)? \((\S+)\) \.\.\.$/gm)].map(
    ([, name = '', version = '']) => `${name} ${version}`,
  );
}

/**
 * Upgrades all packages of a board as far as nothing has to be removed for it. Does not restart the board.
 * @param options.hold packages that stay as they are, such as a slurmd that must not be newer than its controller
 * @throws StepProblem
 */
export async function upgradePackages(
  context: StepContext,
  { hold = [] }: { hold?: readonly string[] } = {},
): Promise<Upgraded> {
  const output = await workWithPackages(context, UPGRADE, hold);
  return { packages: parseSetUp(output), restartBecause: await restartBecause(context) };
}

/**
 * Why a board has to restart for what was installed, or null.
 * @throws StepProblem
 */
export async function restartBecause({
  connection,
}: Pick<StepContext, 'connection'>): Promise<string | null> {
  const { stdout } = await succeed(connection, { argv: ['sh', '-c', RESTART] });
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines[0] === 'required') return 'a package asks for it (/run/reboot-required)';
  const [running = '', ...installed] = lines;
  const newer = newerKernel(running, installed);
  return newer === undefined ? null : `the kernel ${newer} is installed, and ${running} runs`;
}
