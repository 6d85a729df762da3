import { type BoardStep, differs, right, type StepContext } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';
import { aptProxyScript } from './apt-proxy-script.ts';
import { OWNED_FILES_LINES, type OwnedFile, ownedFilesArguments, writeOwnedFiles } from './owned-files.ts';

const CACHE_PORT = 3142;
const SCRIPT = '/usr/local/lib/bramble/apt-proxy';
const SETTING = '/etc/apt/apt.conf.d/50bramble-proxy';

/** `$1` the setting; what follows are the files. `own` is told where the board's proxy is somebody else's. */
const PROBE = `
apt-config dump --format '%F=%v%n' Acquire::http 2> /dev/null | sed -n \\
  -e 's/^Acquire::http::Proxy=\\(..*\\)/own \\1/p' -e '\\|=${SCRIPT}$|d' -e 's/^Acquire::http::Proxy-\\{0,1\\}Auto-\\{0,1\\}Detect=\\(..*\\)/own \\1/p'
[ ! -e "$1" ] || echo set
shift
${OWNED_FILES_LINES}
`;

/**
 * Packages come through the proxy of the site, or else the cache of a storage board. It is asked for each time, so that
 * packages come without it where it is away. A proxy that the board was set to by somebody else goes before the cache.
 */
export const aptProxyStep: BoardStep = {
  name: 'apt-proxy',
  title: 'where packages come from',
  roles: null,
  probe: (context) => ({ script: PROBE, args: [SETTING, ...ownedFilesArguments(filesFor(context))] }),
  check(seen, context) {
    const lines = seen.split('\n');
    const own = lines.find((line) => line.startsWith('own '))?.slice('own '.length);
    const isSet = lines.includes('set');
    const url = proxyOf(context);
    if (own !== undefined && context.site.aptProxy === null)
      return isSet
        ? differs(`the board has a proxy of its own, and Bramble's beside it`)
        : right(`the board has a proxy of its own, which stays: ${shown(own)}`);
    if (url === undefined)
      return isSet ? differs('it is set to a proxy that there is no more') : right('without a proxy');
    if (lines.some((line) => line.startsWith('file '))) return differs(`not through ${shown(url)} yet`);
    return right(`through ${shown(url)} while it answers`);
  },
  async apply(context, seen) {
    const { connection, site } = context;
    const url = proxyOf(context);
    if (url === undefined || (site.aptProxy === null && /^own /m.test(seen))) {
      await succeed(connection, { argv: ['rm', '-f', SETTING, SCRIPT], root: true });
      return "took Bramble's setting away";
    }
    await succeed(connection, {
      argv: ['install', '-d', '-m', '0755', '/usr/local/lib/bramble'],
      root: true,
    });
    await writeOwnedFiles(connection, filesFor(context));
    return `through ${shown(url)} while it answers`;
  },
};

function proxyOf({ site, boards, board }: StepContext): string | undefined {
  if (site.aptProxy !== null) return site.aptProxy;
  const [cache] = boards
    .filter(({ name, trial, storage }) => name !== board.name && !trial && storage?.packageCache === true)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return cache === undefined ? undefined : `http://${cache.address}:${CACHE_PORT}`;
}

/** The script comes first: apt fails where the setting names a program that is not there. */
function filesFor(context: StepContext): OwnedFile[] {
  const url = proxyOf(context);
  if (url === undefined) return [];
  return [
    { path: SCRIPT, content: aptProxyScript(url), mode: '755' },
    {
      path: SETTING,
      content: `// Written by Bramble.\nAcquire::http::Proxy-Auto-Detect "${SCRIPT}";\n`,
    },
  ];
}

/** Without the password that a URL may have. */
function shown(proxy: string): string {
  return URL.canParse(proxy) ? new URL(proxy).host : proxy;
}
