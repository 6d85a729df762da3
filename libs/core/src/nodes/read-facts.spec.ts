import { expect, it } from 'vitest';
import { localBoard } from '../../../../test/fakes/local-board.ts';
import { parseFacts, readFacts } from './read-facts.ts';

const LSBLK = {
  blockdevices: [
    { name: 'mmcblk0', type: 'disk', size: 31_914_983_424, model: null, serial: '0x1234' },
    { name: 'sda', type: 'disk', size: '1000204886016', model: 'Portable SSD ', serial: 'S3R14L' },
    { name: 'loop0', type: 'loop', size: 4096, model: null, serial: null },
  ],
};
const LINES = {
  ...{
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    serial: '10000000abcdef01',
    revision: 'c03114',
    machineId: 'f00d',
  },
  ...{ hostname: 'raspberrypi', architecture: 'arm64', cpus: '4', memory: '3884312', pageSize: '4096' },
  ...{ os: 'debian 12', kernel: '6.6.51', temperature: '48312', throttled: 'throttled=0x0', time: '100.5' },
  disks: JSON.stringify(LSBLK),
};
const text = (lines: Record<string, string>) =>
  Object.entries(lines)
    .map((line) => line.join('\t'))
    .join('\n');

it('reads what a board tells', () => {
  expect(parseFacts(text(LINES), 99_900, 100_100)).toEqual({
    ...{ model: 'Raspberry Pi 4 Model B Rev 1.4', serial: '10000000abcdef01', revision: 'c03114' },
    ...{ machineId: 'f00d', hostname: 'raspberrypi', architecture: 'arm64', cpus: 4, memoryMebibytes: 3793 },
    ...{ pageSizeBytes: 4096, os: 'debian 12', kernel: '6.6.51', temperatureCelsius: 48.312, throttled: [] },
    disks: [
      { name: 'mmcblk0', sizeMebibytes: 30_436, model: null, serial: '0x1234' },
      { name: 'sda', sizeMebibytes: 953_869, model: 'Portable SSD', serial: 'S3R14L' },
    ],
    clockSkewSeconds: 0.5,
  });
});

it('does without what only Raspberry Pis have', () => {
  const { model: _, serial: __, revision: ___, temperature: ____, throttled: _____, ...rest } = LINES;
  expect(parseFacts(text({ ...rest, disks: 'lsblk: not found' }), 100_000, 100_000)).toMatchObject({
    ...{ model: null, serial: null, revision: null, temperatureCelsius: null, throttled: null, disks: [] },
  });
});

it('says what it has to know', () => {
  const { architecture: _, ...rest } = LINES;
  expect(() => parseFacts(text(rest), 0, 0)).toThrow('does not tell its architecture (dpkg)');
  expect(() => parseFacts(text({ ...LINES, cpus: 'many' }), 0, 0)).toThrow("The board's cpus is no number");
});

it('asks a real system, at once', async () => {
  const facts = await readFacts(localBoard(), () => Date.now());
  expect(facts.cpus).toBeGreaterThan(0);
  expect(facts.os).toMatch(/^\w+ /);
  expect(Math.abs(facts.clockSkewSeconds)).toBeLessThan(60);
});
