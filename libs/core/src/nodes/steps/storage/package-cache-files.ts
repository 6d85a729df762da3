import type { OwnedFile } from '../base/owned-files.ts';

export const CACHE_PORT = 3142;
/** What libwrap asks. */
export const HOSTS_ALLOW = '/etc/hosts.allow';
export const CACHE_FILE = '/etc/apt-cacher-ng/zzz_bramble.conf';

const BEGIN = '# Kept by Bramble, package cache: begin';
const END = '# Kept by Bramble, package cache: end';

/** apt-cacher-ng reads files in the order of their names; this one comes after that of debconf. */
export function cacheFile(upstream: string | null): OwnedFile {
  const proxy = upstream === null ? '' : `Proxy: ${upstream}\n`;
  return {
    path: CACHE_FILE,
    content: `# Written by Bramble.\nPort: ${CACHE_PORT}\nBindAddress: 0.0.0.0\n${proxy}`,
  };
}

/**
 * `/etc/hosts.allow` with a block that keeps the cache for a subnet: apt-cacher-ng asks libwrap, and has no such setting
 * of its own. The block comes first, as the first line that fits decides.
 * @see https://manpages.debian.org/bookworm/libwrap0/hosts_options.5.en.html
 */
export function hostsAllow(current: string, subnet: string): string {
  const lines = [`apt-cacher-ng: 127.0.0.1 ${withNetmask(subnet)}: ALLOW`, 'apt-cacher-ng: ALL: DENY'];
  return `${[BEGIN, ...lines, END].join('\n')}\n${withoutBlock(current)}`;
}

function withoutBlock(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const begin = lines.findIndex((line) => line.trimEnd() === BEGIN);
  const end = lines.findIndex((line) => line.trimEnd() === END);
  return begin === -1 || end < begin ? text : [...lines.slice(0, begin), ...lines.slice(end + 1)].join('');
}

/** `10.0.0.0/24` as `10.0.0.0/255.255.255.0`: not every libwrap knows the length of a prefix. */
function withNetmask(subnet: string): string {
  const [network = '', bits = '32'] = subnet.split('/');
  const mask = 2 ** 32 - 2 ** (32 - Number(bits));
  return `${network}/${[24, 16, 8, 0].map((shift) => Math.floor(mask / 2 ** shift) % 256).join('.')}`;
}

/**
 * The proxy by which the cache fetches: the site's, or else the board's own. A board that was set to its own cache would
 * have the cache ask itself.
 * @param own what apt on the board is set to; empty where it is to nothing
 * @param names of the board itself, addresses too
 */
export function upstreamOf(siteProxy: string | null, own: string, names: readonly string[]): string | null {
  for (const proxy of [siteProxy ?? '', own]) {
    if (!URL.canParse(proxy)) continue;
    const { protocol, hostname } = new URL(proxy);
    const isItself = ['localhost', '127.0.0.1', ...names].includes(hostname);
    if (protocol === 'http:' && !isItself) return proxy.replace(/\/$/, '');
  }
  return null;
}
