import { describe, expect, it } from 'vitest';
import { newerKernel } from './kernel-release.ts';

describe('a newer kernel', () => {
  it.each([
    [
      '6.6.51+rpt-rpi-v8',
      ['6.6.51+rpt-rpi-v8', '6.12.25+rpt-rpi-v8', '6.12.9+rpt-rpi-v8'],
      '6.12.25+rpt-rpi-v8',
    ],
    ['6.6.51+rpt-rpi-v8', ['6.6.51+rpt-rpi-v8', '6.12.25+rpt-rpi-2712'], undefined],
    ['6.1.0-28-arm64', ['6.1.0-9-arm64', '6.1.0-28-arm64', '6.1.0-31-arm64'], '6.1.0-31-arm64'],
    ['6.1.0-28-arm64', ['6.1.0-31-cloud-arm64'], undefined],
    ['6.12.48+deb13-arm64', ['6.12.57+deb13-arm64'], '6.12.57+deb13-arm64'],
    ['6.1.21-v8+', ['6.1.21-v7+', '6.1.21-v8+', '6.1.58-v8+'], '6.1.58-v8+'],
    ['6.18.5', [], undefined],
    ['6.18.5', ['6.18.5'], undefined],
  ])('than %s among %j is %s', (running, installed, newer) => {
    expect(newerKernel(running, installed)).toBe(newer);
  });
});
