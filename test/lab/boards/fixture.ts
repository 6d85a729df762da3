import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoardRecord } from './board-record.ts';
import { RASPBERRY_PIS } from './raspberry-pis.ts';
import type { RaspberryPi } from './raspberry-pis.ts';

/** Where a board finds what makes it a Raspberry Pi. Read-only for the board; the lab may change it at any time. */
export const FIXTURE_DIRECTORY = '/usr/lib/lab-fixture';

const CORES = 4;

/** Stands in for the firmware's tool: says what the lab has written for the first argument. */
export const VCGENCMD = `#!/bin/sh
# A fixture of Bramble's lab.
case "$1" in
  '' | */*) ;;
  *) [ -f "${FIXTURE_DIRECTORY}/vcgencmd/$1" ] && exec cat "${FIXTURE_DIRECTORY}/vcgencmd/$1" ;;
esac
echo 'error=1 error_msg="Command not registered"'
exit 255
`;

/** Writes the board's device tree, its /proc/cpuinfo, the answers of its vcgencmd, and that it has no disks yet. */
export function writeFixture(directory: string, board: BoardRecord): void {
  const pi = RASPBERRY_PIS[board.raspberryPi];
  const tree = join(directory, 'firmware/devicetree/base');
  mkdirSync(tree, { recursive: true, mode: 0o755 });
  writeFileSync(join(tree, 'model'), `${pi.model}\0`);
  writeFileSync(join(tree, 'serial-number'), `${board.serial}\0`);
  writeFileSync(join(tree, 'compatible'), pi.compatible.map((name) => `${name}\0`).join(''));
  // The machine's own would be listed otherwise.
  for (const name of ['disks', 'block']) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  writeFileSync(join(directory, 'cpuinfo'), cpuinfo(pi, board.serial));
  for (const [command, answer] of Object.entries(board.vcgencmd)) answerVcgencmd(directory, command, answer);
}

/** Sets what `vcgencmd COMMAND` prints from now on. */
export function answerVcgencmd(directory: string, command: string, answer: string): void {
  const answers = join(directory, 'vcgencmd');
  mkdirSync(answers, { recursive: true, mode: 0o755 });
  writeFileSync(join(answers, command), `${answer}\n`);
}

function cpuinfo({ model, revision, cpuPart }: RaspberryPi, serial: string): string {
  const processors = Array.from(
    { length: CORES },
    (_, processor) => `processor\t: ${processor}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: ${cpuPart}
CPU revision\t: 3

`,
  );
  return `${processors.join('')}Revision\t: ${revision}\nSerial\t\t: ${serial}\nModel\t\t: ${model}\n`;
}
