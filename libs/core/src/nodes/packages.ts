import type { Probe, StepContext } from './board-step.ts';
import { runLong } from './run-long.ts';

const INSTALL_WITHIN_MS = 30 * 60_000;

/**
 * `$@` packages. A dpkg that was killed is mended first; unattended-upgrades is waited for; an index that cannot be
 * fetched is an error, which apt-get itself does not think; files that an admin has changed stay.
 */
const INSTALL = `
apt() {
  apt-get -q -y -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 \\
    -o Acquire::http::Timeout=30 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \\
    -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}
holder=$(lslocks --noheadings --raw --output COMMAND,PID,PATH 2> /dev/null | grep /var/lib/dpkg/lock || true)
[ -z "$holder" ] || echo "Waiting for dpkg's lock, which is held by: $holder"
waited=0
while [ -n "$holder" ] && [ "$waited" -lt 600 ]; do
  sleep 2
  waited=$((waited + 2))
  holder=$(lslocks --noheadings --raw --output COMMAND,PID,PATH 2> /dev/null | grep /var/lib/dpkg/lock || true)
done
dpkg --configure -a
apt -f install
apt update
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
 * Installs Debian packages.
 * @throws StepProblem
 */
export async function installPackages(context: StepContext, packages: readonly string[]): Promise<void> {
  await runLong(context, { name: 'apt', script: INSTALL, args: packages, timeoutMs: INSTALL_WITHIN_MS });
}
