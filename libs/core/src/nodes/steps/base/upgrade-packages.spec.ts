import { describe, expect, it } from 'vitest';
import { parseSetUp, parseUpgrades } from './upgrade-packages.ts';

describe('an upgrade of packages', () => {
  it('is told of by apt before', () => {
    const seen =
      'fresh\nInst openssl [3.0.15-1] (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [arm64])\nInst linux-image-6.1.0-38-arm64 (6.1.147-1 Debian:12 [arm64])\n';
    expect(parseUpgrades(seen)).toEqual({
      areFresh: true,
      packages: ['openssl', 'linux-image-6.1.0-38-arm64'],
    });
    expect(parseUpgrades('stale\n')).toEqual({ areFresh: false, packages: [] });
  });

  it('and by dpkg after', () => {
    const output =
      'Unpacking openssl (3.0.17-1~deb12u2) over (3.0.15-1) ...\nSetting up libssl3:arm64 (3.0.17-1~deb12u2) ...\nSetting up openssl (3.0.17-1~deb12u2) ...\n';
    expect(parseSetUp(output)).toEqual(['libssl3 3.0.17-1~deb12u2', 'openssl 3.0.17-1~deb12u2']);
  });
});
