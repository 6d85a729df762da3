import { type BoardStep, differs, right, type StepContext } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';
import { writeOwnedFiles } from '../base/owned-files.ts';
import {
  CACHE_FILE,
  CACHE_PORT,
  cacheFile,
  HOSTS_ALLOW,
  hostsAllow,
  upstreamOf,
} from './package-cache-files.ts';
import { installStoragePackages, keepCacheForSubnet } from './storage-packages.ts';

const CONF_MARK = 'conf:';
const ALLOW_MARK = 'hosts.allow:';

const PROBE = `
[ ! -x /usr/sbin/apt-cacher-ng ] || echo installed
systemctl show --property=ActiveState --property=UnitFileState apt-cacher-ng.service
eval "$(apt-config shell own Acquire::http::Proxy)"
echo "own $own"
echo ${CONF_MARK}
cat ${CACHE_FILE} 2> /dev/null
echo ${ALLOW_MARK}
cat ${HOSTS_ALLOW} 2> /dev/null || true
`;

/** Packages for all boards are fetched from the Internet once. */
export const packageCacheStep: BoardStep = {
  name: 'package-cache',
  title: 'the cache of packages',
  roles: ['storage'],
  probe: () => ({ script: PROBE }),
  check(seen, context) {
    if (context.board.storage?.packageCache !== true) return right('none is wanted');
    const { lines, own, conf, allow } = parse(seen);
    if (!lines.includes('installed')) return differs('there is none');
    if (conf !== cacheFile(upstream(context, own)).content) return differs(`${CACHE_FILE} is another`);
    if (allow !== hostsAllow(allow, context.site.subnet))
      return differs(`others than ${context.site.subnet} may use it`);
    if (!lines.includes('UnitFileState=enabled')) return differs('it does not start with the board');
    if (!lines.includes('ActiveState=active')) return differs('it does not run');
    return right(`port ${CACHE_PORT} for ${context.site.subnet}`);
  },
  async apply(context, seen) {
    const { connection, site } = context;
    const { storage } = context.board;
    const { lines, own } = parse(seen);
    const file = cacheFile(upstream(context, own));
    await keepCacheForSubnet(context);
    if (storage !== null && !lines.includes('installed')) await installStoragePackages(context, storage);
    await writeOwnedFiles(connection, [file]);
    await succeed(connection, {
      argv: ['systemctl', 'enable', '--quiet', 'apt-cacher-ng.service'],
      root: true,
    });
    await succeed(connection, {
      argv: ['systemctl', 'restart', 'apt-cacher-ng.service'],
      root: true,
      timeoutMs: 120_000,
    });
    return `port ${CACHE_PORT} for ${site.subnet}`;
  },
};

const upstream = ({ board, site }: StepContext, own: string): string | null =>
  upstreamOf(site.aptProxy, own, [board.name, `${board.name}.${site.domain}`, board.address]);

function parse(seen: string): { lines: string[]; own: string; conf: string; allow: string } {
  const conf = seen.indexOf(`\n${CONF_MARK}\n`);
  const allow = seen.indexOf(`\n${ALLOW_MARK}\n`, conf);
  const lines = seen.slice(0, conf).split('\n');
  return {
    lines,
    own: lines.find((line) => line.startsWith('own '))?.slice('own '.length) ?? '',
    conf: seen.slice(conf + CONF_MARK.length + 2, allow + 1),
    allow: seen.slice(allow + ALLOW_MARK.length + 2),
  };
}
