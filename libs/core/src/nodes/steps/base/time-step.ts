import { type BoardStep, type StepContext, StepProblem } from '../../board-step.ts';
import { installPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import { inWords, surelyExceeds } from '../../clock-skew.ts';
import { correctClock, measureClockSkew } from './clock.ts';
import { OWNED_FILES_LINES, type OwnedFile, ownedFilesArguments, writeOwnedFiles } from './owned-files.ts';
import { chronySources, SKEW_LIMIT_SECONDS, type TimeKeeping, timeFinding } from './time-keeping.ts';

const CONFIGURATION = '/etc/chrony/chrony.conf';
const SOURCES = '/etc/chrony/sources.d/bramble.sources';

/** `$1` file of the servers, `$2` how many are given; what follows are the files. */
const PROBE = `
for unit in chrony systemd-timesyncd ntpsec ntp openntpd; do
  systemctl is-active --quiet "$unit.service" || continue
  echo "keeper $unit"
  if systemctl is-enabled --quiet "$unit.service" 2> /dev/null; then echo enabled; fi
  if [ "$unit" = chrony ]; then
    chronyc -c -n tracking 2> /dev/null | grep -qE ',(Normal|Insert second|Delete second)$' && echo synchronised
  elif [ "$(timedatectl show --property=NTPSynchronized --value 2> /dev/null)" = yes ]; then
    echo synchronised
  fi
  break
done
if [ -e /lib/systemd/system/chrony.service ]; then echo installed; fi
if [ "$2" -gt 0 ] && [ -e ${CONFIGURATION} ] && ! grep -qE '^ *sourcedir +/etc/chrony/sources\\.d' ${CONFIGURATION}; then
  echo unread
fi
if [ "$2" -eq 0 ] && [ -e "$1" ]; then echo "file $1"; fi
shift 2
${OWNED_FILES_LINES}
`;

/**
 * Before anything is fetched: a Pi has no clock of its own, and with a wrong time neither package lists nor certificates
 * are valid. So the clock is set over SSH first, and chrony is installed then.
 */
export const timeStep: BoardStep = {
  name: 'time',
  title: 'the time',
  roles: null,
  probe: ({ site }) => ({
    script: PROBE,
    args: [SOURCES, String(site.timeServers.length), ...ownedFilesArguments(filesFor(site.timeServers))],
  }),
  async check(seen, context) {
    const skew = await measureClockSkew(context, SKEW_LIMIT_SECONDS);
    return timeFinding(parseTimeKeeping(seen), skew, context.site.timeServers);
  },
  async apply(context, seen) {
    const { connection, site } = context;
    const { synchronised } = parseTimeKeeping(seen);
    const skew = await measureClockSkew(context, SKEW_LIMIT_SECONDS);
    const isOff = surelyExceeds(skew, SKEW_LIMIT_SECONDS);
    if (isOff && !synchronised) await correctClock(context, skew);
    if (!/^installed$/m.test(seen)) await installPackages(context, ['chrony']);
    if (/^unread$/m.test(seen))
      throw new StepProblem(
        `chrony would not read the time servers: add the line "sourcedir /etc/chrony/sources.d" to ${CONFIGURATION}, then apply again.`,
      );
    if (site.timeServers.length === 0) await succeed(connection, { argv: ['rm', '-f', SOURCES], root: true });
    else await writeOwnedFiles(connection, filesFor(site.timeServers));
    await startAnew(context);
    return isOff ? `set the clock, which was ${inWords(skew)}; chrony keeps it` : 'chrony keeps it';
  },
};

/** From its start, chrony sets a clock that is far off. Later it would only make it run faster or slower. */
async function startAnew({ connection }: StepContext): Promise<void> {
  await succeed(connection, { argv: ['systemctl', 'enable', '--quiet', 'chrony.service'], root: true });
  await succeed(connection, { argv: ['systemctl', 'restart', 'chrony.service'], root: true });
}

const filesFor = (servers: readonly string[]): OwnedFile[] =>
  servers.length === 0 ? [] : [{ path: SOURCES, content: chronySources(servers) }];

function parseTimeKeeping(seen: string): TimeKeeping {
  const lines = seen.split('\n');
  const keeper = lines.find((line) => line.startsWith('keeper '))?.slice('keeper '.length) ?? null;
  return {
    keeper,
    enabled: lines.includes('enabled'),
    synchronised: lines.includes('synchronised'),
    sourcesDiffer: lines.some((line) => line.startsWith('file ')),
  };
}
