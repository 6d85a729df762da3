import { describe, expect, it } from 'vitest';
import { defaultsFile, slurmConfLine, slurmdOptions } from './slurmd-files.ts';

const SLURM = { host: '10.0.0.100', port: 6817 };
const DEFINITION = { memoryMebibytes: 3603, features: ['rpi4', 'arm64', '4g'] };

describe('what slurmd is started with', () => {
  it('lets the node join by itself', () => {
    expect(defaultsFile(slurmdOptions(SLURM, DEFINITION))).toBe(
      `# Kept by Bramble; changes are overwritten.
SLURMD_OPTIONS="--conf-server 10.0.0.100:6817 -Z --conf 'RealMemory=3603 Feature=rpi4,arm64,4g'"
`,
    );
  });

  it('leaves what the node has to slurm.conf, where that names it', () => {
    expect(slurmdOptions(SLURM, null)).toEqual(['--conf-server', '10.0.0.100:6817']);
    expect(slurmConfLine({ name: 'node02', address: '10.0.0.3' }, 4, DEFINITION)).toBe(
      'NodeName=node02 NodeAddr=10.0.0.3 CPUs=4 RealMemory=3603 Feature=rpi4,arm64,4g State=UNKNOWN',
    );
  });
});
