import { describe, expect, it } from 'vitest';
import { cacheFile, hostsAllow, upstreamOf } from './package-cache-files.ts';

describe('the package cache', () => {
  it('listens for all, and fetches through a proxy where there is one', () => {
    expect(cacheFile(null).content).toBe('# Written by Bramble.\nPort: 3142\nBindAddress: 0.0.0.0\n');
    expect(cacheFile('http://proxy:8080').content).toMatch(/\nProxy: http:\/\/proxy:8080\n$/);
  });

  it('is for the subnet only, before what else is allowed', () => {
    const once = hostsAllow('ALL: LOCAL\n', '10.20.0.0/18');
    expect(once).toBe(
      `# Kept by Bramble, package cache: begin
apt-cacher-ng: 127.0.0.1 10.20.0.0/255.255.192.0: ALLOW
apt-cacher-ng: ALL: DENY
# Kept by Bramble, package cache: end
ALL: LOCAL
`,
    );
    expect(hostsAllow(once, '10.20.0.0/18')).toBe(once);
    expect(hostsAllow(once, '10.0.0.0/8')).toContain('10.0.0.0/255.0.0.0: ALLOW\n');
  });

  it.each([
    [null, '', null],
    ['http://site:3128/', 'http://own:1', 'http://site:3128'],
    [null, 'http://10.0.0.1:3142', 'http://10.0.0.1:3142'],
    [null, 'http://store:3142', null],
    ['http://store:3142', 'http://own:1', 'http://own:1'],
    [null, 'DIRECT', null],
  ])('asks whom the site or the board asks, but not itself: %j, %j', (site, own, upstream) => {
    expect(upstreamOf(site, own, ['store', '10.0.0.2'])).toBe(upstream);
  });
});
