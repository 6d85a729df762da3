import { describe, expect, it } from 'vitest';
import { spawnSync } from 'node:child_process';
import { APT_LINES } from './apt-lines.ts';
import { parsePackages } from './packages.ts';

describe('the packages of a board', () => {
  it('are read by name, with their versions', () => {
    expect([...parsePackages('chrony 4.3-2+deb12u1\nslurmd \n\n')]).toEqual([
      ['chrony', '4.3-2+deb12u1'],
      ['slurmd', null],
    ]);
  });

  it('are worked with by lines that sh understands', () => {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: APT_LINES, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
