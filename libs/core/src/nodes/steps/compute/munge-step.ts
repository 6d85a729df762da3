import { type BoardStep, differs, right, StepProblem } from '../../board-step.ts';
import { installPackages } from '../../packages.ts';
import { type ClockSkew, surelyExceeds } from '../../clock-skew.ts';
import { measureClockSkew } from '../base/clock.ts';
import { succeed } from '../../succeed.ts';
import { NO_SLURM, slurmOfSite } from './slurm-of-site.ts';

/** munge takes up to 300 s by itself, but a clock that is off by seconds already goes on drifting. */
const MOST_SKEW_SECONDS = 2;

const PROBE = `
key=/etc/munge/munge.key
dpkg-query --show --showformat='\${db:Status-Status}\\n' munge 2> /dev/null
[ -f "$key" ] && sha256sum "$key" | sed 's/ .*//; s/^/key /'
[ -f "$key" ] && stat -c 'mode %a %U:%G' "$key"
systemctl show --property=ActiveState --property=UnitFileState munge.service
true
`;

/** The key comes over standard input. While munged does not run, whoever is interrupted has to begin anew. */
const INSTALL_KEY = `
set -e
umask 077
new=/etc/munge/munge.key.bramble-new
trap 'rm -f "$new"' EXIT
base64 -d > "$new"
chown munge:munge "$new"
chmod 0400 "$new"
sync "$new"
systemctl stop munge.service
mv -T "$new" /etc/munge/munge.key
sync /etc/munge
systemctl enable --quiet munge.service
systemctl start munge.service
`;

/** Slurm's messages are signed by munge, with one key for the whole cluster. */
export const mungeStep: BoardStep = {
  name: 'munge',
  title: "munge with the cluster's key",
  roles: ['compute'],
  probe: () => ({ script: PROBE }),
  async check(seen, context) {
    const { site, facts } = context;
    if (site.slurm === null) return right(NO_SLURM);
    // The clock may have been set since the facts were read.
    if (Math.abs(facts.clockSkewSeconds) >= MOST_SKEW_SECONDS)
      refuseSkew(await measureClockSkew(context, MOST_SKEW_SECONDS));
    const lines = seen.split('\n');
    if (!lines.includes('installed')) return differs('munge is not installed');
    const key = Buffer.from(await site.slurm.mungeKey(), 'base64');
    if (!lines.includes(`key ${await sha256(key)}`)) return differs("it has another key than the cluster's");
    if (!lines.includes('mode 400 munge:munge'))
      return differs('others than munge can read or change its key');
    if (!lines.includes('ActiveState=active')) return differs('munged does not run');
    if (!lines.includes('UnitFileState=enabled')) return differs('munged does not start with the board');
    return right("munged runs with the cluster's key");
  },
  async apply(context, seen) {
    if (!seen.split('\n').includes('installed')) await installPackages(context, ['munge']);
    await succeed(context.connection, {
      argv: ['sh', '-c', INSTALL_KEY],
      input: await slurmOfSite(context.site).mungeKey(),
      root: true,
    });
    return "munged runs with the cluster's key";
  },
};

/** @throws StepProblem, passing, where credentials would be refused for their time */
function refuseSkew(skew: ClockSkew): void {
  if (!surelyExceeds(skew, MOST_SKEW_SECONDS)) return;
  const { seconds } = skew;
  const shown = `${Math.abs(seconds).toFixed(1)} s ${seconds > 0 ? 'ahead' : 'behind'}`;
  throw new StepProblem(
    `The board's clock is ${shown}; munge refuses what comes from another time. Let it synchronise its time first.`,
    { passing: true },
  );
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
