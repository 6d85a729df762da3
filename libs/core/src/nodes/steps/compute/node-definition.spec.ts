import { describe, expect, it } from 'vitest';
import type { BoardFacts } from '../../board.ts';
import { nodeDefinition } from './node-definition.ts';

const FACTS: BoardFacts = {
  ...{
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    revision: null,
    disks: [],
    serial: '1',
    machineId: 'm',
    hostname: 'node02',
  },
  ...{ architecture: 'arm64', cpus: 4, memoryMebibytes: 3793, pageSizeBytes: 4096, os: 'debian 12' },
  ...{ kernel: '6.1', temperatureCelsius: null, throttled: null, clockSkewSeconds: 0 },
};

describe('nodeDefinition', () => {
  it.each([
    [{}, 3603, ['rpi4', 'arm64', '4g']],
    [
      { model: 'Raspberry Pi 5 Model B Rev 1.0', memoryMebibytes: 8053, pageSizeBytes: 16_384 },
      7650,
      ['rpi5', 'arm64', '8g', 'page16k'],
    ],
    [
      { model: 'Raspberry Pi 3 Model B Plus Rev 1.3', memoryMebibytes: 906, architecture: 'armhf' },
      842,
      ['rpi3', 'armhf', '1g'],
    ],
    [{ model: 'Raspberry Pi Zero 2 W Rev 1.0', memoryMebibytes: 427 }, 363, ['rpizero2', 'arm64', '512m']],
    [{ model: 'Raspberry Pi Model B Rev 2', memoryMebibytes: 477 }, 413, ['rpi1', 'arm64', '512m']],
    [{ model: 'Raspberry Pi Compute Module 4 Rev 1.0' }, 3603, ['rpi4', 'arm64', '4g']],
    [{ model: null, architecture: 'amd64', memoryMebibytes: 24_105 }, 22_899, ['amd64', '32g']],
    [{ model: 'Libre Computer', memoryMebibytes: 100_000 }, 95_000, ['arm64', '98g']],
  ])('of %o leaves %d MiB to jobs, with %o', (facts, memoryMebibytes, features) => {
    expect(nodeDefinition({ ...FACTS, ...facts })).toEqual({ memoryMebibytes, features });
  });
});
